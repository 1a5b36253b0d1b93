using System.Diagnostics;
using System.Text;
using Monolith.Events.Embedded;

namespace Monolith.Events.Tests.Embedded;

/// <summary>A disk that takes nothing for a while: nothing acknowledged is lost, nothing refused appears, the log goes on by itself.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const string Topic = "t";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly string _folder = Directory.CreateTempSubdirectory("monolith-full-").FullName;
    private bool _mounted;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private EmbeddedEventLogOptions Options => new()
    {
        Folder = Path.Combine(_folder, "log"),
        RetryInterval = TimeSpan.FromMilliseconds(20),
        WriteBufferBytes = 2 << 20,
    };

    public void Dispose()
    {
        if (_mounted)
        {
            Run("umount", "-l", _folder);
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_goes_on_by_itself_when_the_disk_takes_bytes_again()
    {
        var full = false;
        var options = Options with { BeforeWrite = () => _ = full ? throw new IOException("No space left on device : 'x'") : 0 };
        var acknowledged = new List<string>();
        await using (var log = await OpenAsync(options))
        {
            await AppendAsync(log, acknowledged, "a");
            await log.CommitAsync("g", [new CommittedOffset(new TopicPartition(Topic, 0), 1)], Token);
            full = true;
            var refused = await Assert.ThrowsAsync<EventLogException>(() => AppendAsync(log, acknowledged, "refused"));
            Assert.Contains("is full: make room; the log goes on by itself", refused.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<EventLogException>(() => AppendAsync(log, acknowledged, "refused too"));
            await Assert.ThrowsAsync<EventLogException>(
                async () => await log.CommitAsync("g", [new CommittedOffset(new TopicPartition(Topic, 0), 7)], Token));
            Assert.False(log.Trouble!.IsHopeless);
            log.ApplyRetention(); // does not end the process, nor does it wait for the disk
            Assert.Equal(acknowledged, await ReadAsync(log)); // readers go on meanwhile

            full = false;
            await RecoveredAsync(log);
            await AppendAsync(log, acknowledged, "b");
            Assert.Equal(acknowledged, await ReadAsync(log));
        }

        await using var again = await OpenAsync(Options);
        Assert.Equal(acknowledged, await ReadAsync(again));
        var committed = Assert.Single(await again.CommittedAsync("g", [new TopicPartition(Topic, 0)], Token));
        Assert.Equal(1, committed.Offset);
    }

    [Fact]
    public async Task A_write_that_failed_after_it_was_on_the_disk_does_not_appear()
    {
        var acknowledged = new List<string>();
        await using (var log = await OpenAsync(Options))
        {
            await AppendAsync(log, acknowledged, "a");
            using var batch = new RocksDbSharp.WriteBatch();
            var data = new byte[BatchCodec.HeaderBytes + BatchCodec.Size(Value("refused"))];
            BatchCodec.Write(data.AsSpan(BatchCodec.HeaderBytes), Value("refused"));
            BatchCodec.WriteHeader(data, 1, 0);
            LogStore.PutBatch(batch, 0, new StoredBatch(1, 1, data));
            LogStore.PutCommit(batch, 0, "g", new CommittedOffset(new TopicPartition(Topic, 0), 2));
            log.Store.Write(batch);
            log.Store.Reopen();
            log.Store.CutBack(0, 1, [("g", new CommittedOffset(new TopicPartition(Topic, 0), 1))]);
            await AppendAsync(log, acknowledged, "b");
        }

        await using var again = await OpenAsync(Options);
        Assert.Equal(acknowledged, await ReadAsync(again));
        Assert.Equal(1, Assert.Single(await again.CommittedAsync("g", [new TopicPartition(Topic, 0)], Token)).Offset);
    }

    [Fact]
    public async Task A_folder_that_was_deleted_takes_nothing_and_says_that_a_restart_is_needed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a folder in use cannot be deleted here");
        await using var log = await OpenAsync(Options);
        await AppendAsync(log, [], "a");
        Directory.Delete(Options.Folder, recursive: true);
        var refused = await Assert.ThrowsAsync<EventLogException>(() => AppendAsync(log, [], "b"));
        Assert.Contains("is gone. Put it back and restart", refused.Message, StringComparison.Ordinal);
        await Eventually(() => log.Trouble is { IsHopeless: true });
    }

    [Fact]
    public async Task A_real_disk_that_fills_up_and_has_room_again()
    {
        RequireMounts();
        Mount("32m");
        var acknowledged = new List<string>();
        await using (var log = await OpenAsync(Options))
        {
            EventLogException? refused = null;
            for (var i = 0; i < 1000 && refused is null; i++)
            {
                refused = await Record.ExceptionAsync(() => AppendAsync(log, acknowledged, $"{i}", 100_000)) as EventLogException;
            }

            Assert.Contains("is full: make room", refused!.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<EventLogException>(() => AppendAsync(log, [], "refused"));
            Run("mount", "-o", "remount,size=128m", _folder);
            await RecoveredAsync(log);
            await AppendAsync(log, acknowledged, "after");
            Assert.Equal(acknowledged, await ReadAsync(log));
        }

        await using var again = await OpenAsync(Options);
        Assert.Equal(acknowledged, await ReadAsync(again));
    }

    [Fact]
    public async Task A_log_that_cannot_be_created_says_why()
    {
        var file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "", Token);
        var refused = Assert.Throws<EventLogException>(() => new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = file }));
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
    }

    private static NewRecord Value(string value, int padding = 0) =>
        new(Topic, 0, default, Encoding.UTF8.GetBytes(value.PadRight(padding, '.')));

    private static async Task<EmbeddedEventLog> OpenAsync(EmbeddedEventLogOptions options)
    {
        var log = new EmbeddedEventLog(options);
        await log.CreateTopicAsync(new TopicSettings { Name = Topic, Partitions = 1 }, Token);
        return log;
    }

    private static async Task AppendAsync(EmbeddedEventLog log, List<string> acknowledged, string value, int padding = 0)
    {
        await log.AppendAsync([Value(value, padding)], Token).AsTask().WaitAsync(Patience, Token);
        acknowledged.Add(value);
    }

    private static async Task<List<string>> ReadAsync(EmbeddedEventLog log)
    {
        await using var reader = log.OpenReader(new PartitionOffset(new TopicPartition(Topic, 0), 0));
        var batches = await reader.ReadAsync(100_000, TimeSpan.Zero, Token);
        return [.. batches[0].Records.ToArray().Select(r => Encoding.UTF8.GetString(r.Value.Span).TrimEnd('.'))];
    }

    private static Task RecoveredAsync(EmbeddedEventLog log) => Eventually(() => log.Trouble is null);

    private static async Task Eventually(Func<bool> condition)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Token);
        bound.CancelAfter(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!condition())
        {
            await timer.WaitForNextTickAsync(bound.Token);
        }
    }

    private static void RequireMounts()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.SkipUnless(
                Environment.GetEnvironmentVariable("MONOLITH_REQUIRE_MOUNTS") == "1", "a file system of limited size needs root on Linux");
            throw new InvalidOperationException("mounting a file system is required here, but this is not root on Linux");
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private void Mount(string size)
    {
        Run("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", _folder);
        _mounted = true;
    }
}
