using Microsoft.Extensions.Time.Testing;
using Monolith.Events.Embedded;
using Monolith.Events.Tests.Contract;

namespace Monolith.Events.Tests.Embedded;

public sealed class EmbeddedEventLogTests : EventLogContract
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly string _folder = Directory.CreateTempSubdirectory("monolith-log-").FullName;

    private EmbeddedEventLogOptions Options => new() { Folder = _folder, Time = _time };

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    protected override ValueTask<IEventLog> OpenAsync() => ValueTask.FromResult<IEventLog>(new EmbeddedEventLog(Options));

    [Fact]
    public async Task Offsets_are_dense_from_zero()
    {
        await CreateAsync(1);
        for (var i = 0; i < 10; i++)
        {
            await Log.AppendAsync([Record("k", "v", 0), Record("k", "v", 0)], Token);
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => (long)i), (await ReadAsync(0, 0, 20)).Select(r => r.Offset));
    }

    [Fact]
    public async Task What_no_longer_fits_in_memory_is_read_from_disk()
    {
        await Log.DisposeAsync();
        await using var log = new EmbeddedEventLog(Options with { TailBytes = 4096 });
        await log.CreateTopicAsync(new TopicSettings { Name = Topic, Partitions = 2 }, Token);
        for (var i = 0; i < 200; i++)
        {
            await log.AppendAsync([Record("k", $"{i}", 0), Record("k", new string('x', 1000), 1)], Token);
        }

        await using var reader = log.OpenReader(new PartitionOffset(new TopicPartition(Topic, 0), 0), new PartitionOffset(new TopicPartition(Topic, 1), 190));
        var batches = await reader.ReadAsync(1000, TimeSpan.Zero, Token);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"k={i}"), batches[0].Records.ToArray().Select(Text));
        Assert.Equal(10, batches[1].Records.Length);
        await log.DisposeAsync();
        await ReopenAsync();
    }

    [Fact]
    public async Task A_member_cannot_commit_for_a_partition_that_it_gave_up()
    {
        await CreateAsync(2);
        await using var first = await Log.JoinGroupAsync("g", Topic, Token);
        Assert.Equal(2, (await first.PollAsync(Token)).Assigned.Count);
        await using var second = await Log.JoinGroupAsync("g", Topic, Token);
        var lost = Assert.Single((await first.PollAsync(Token)).Revoked);
        await using var writer = await Log.OpenWriterAsync("w", Token);
        await Assert.ThrowsAsync<FencedException>(() => writer.CommitAsync(Of(lost), Token).AsTask());
        await writer.CommitAsync(Of(1 - lost), Token);
        Assert.Equal((0, 1), ((await Log.WatermarksAsync(new TopicPartition(Topic, lost), Token)).High, (await Log.WatermarksAsync(new TopicPartition(Topic, 1 - lost), Token)).High));

        EventTransaction Of(int partition) => new([Record("k", "v", partition)], first, [new CommittedOffset(new TopicPartition(Topic, partition), 1)]);
    }

    [Fact]
    public async Task A_record_may_be_as_large_as_allowed_and_no_larger()
    {
        await Log.DisposeAsync();
        await using var log = new EmbeddedEventLog(Options with { MaxRecordBytes = 100 });
        await log.CreateTopicAsync(new TopicSettings { Name = Topic, Partitions = 1 }, Token);
        // The lengths of key and value, and that there are no headers, take a byte each.
        await log.AppendAsync([new NewRecord(Topic, 0, default, new byte[97])], Token);
        var refused = await Assert.ThrowsAsync<EventLogException>(() => log.AppendAsync([new NewRecord(Topic, 0, default, new byte[98])], Token).AsTask());
        Assert.Contains("has 101 bytes; at most 100 are allowed", refused.Message, StringComparison.Ordinal);
        await log.DisposeAsync();
        await ReopenAsync();
    }

    [Fact]
    public async Task A_folder_in_use_or_of_another_version_is_refused_with_what_to_do()
    {
        var inUse = Assert.Throws<EventLogException>(() => new EmbeddedEventLog(Options));
        Assert.Contains("in use", inUse.Message, StringComparison.Ordinal);
        await Log.DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "FORMAT"), "monolith event log 99", Token);
        var version = Assert.Throws<EventLogException>(() => new EmbeddedEventLog(Options));
        Assert.Contains("99", version.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(_folder, "FORMAT"), "monolith event log 1", Token);
        await ReopenAsync();
        var other = Directory.CreateTempSubdirectory("monolith-other-").FullName;
        await File.WriteAllTextAsync(Path.Combine(other, "thesis.txt"), "do not touch", Token);
        Assert.Throws<EventLogException>(() => new EmbeddedEventLog(Options with { Folder = other }));
        Directory.Delete(other, recursive: true);
    }

    [Fact]
    public async Task Old_records_go_except_those_that_a_group_has_yet_to_read()
    {
        await CreateAsync(2);
        for (var i = 0; i < 10; i++)
        {
            await Log.AppendAsync([Record("k", $"{i}", 0), Record("k", $"{i}", 1)], Token);
        }

        foreach (var quick in (string[])["a", "b", "c", "x", "y", "z"])
        {
            await Log.CommitAsync(quick, [new CommittedOffset(new TopicPartition(Topic, 1), 9)], Token);
        }

        await Log.CommitAsync("slow", [new CommittedOffset(new TopicPartition(Topic, 1), 4)], Token);
        _time.Advance(TimeSpan.FromDays(8));
        await Log.AppendAsync([Record("k", "10", 0), Record("k", "10", 1)], Token);
        ((EmbeddedEventLog)Log).ApplyRetention();
        Assert.Equal(new Watermarks(10, 11), await Log.WatermarksAsync(new TopicPartition(Topic, 0), Token));
        Assert.Equal(new Watermarks(4, 11), await Log.WatermarksAsync(new TopicPartition(Topic, 1), Token));
        Assert.Equal(["k=10"], (await ReadAsync(0, 0, 1)).Select(Text));
        await ReopenAsync();
        Assert.Equal(new Watermarks(10, 11), await Log.WatermarksAsync(new TopicPartition(Topic, 0), Token));
        Assert.Equal(Enumerable.Range(4, 7).Select(i => $"k={i}"), (await ReadAsync(1, 0, 7)).Select(Text));
    }

    [Fact]
    public async Task The_oldest_records_go_when_the_log_is_too_large_and_the_disk_gets_its_room_back()
    {
        await Log.DisposeAsync();
        await using var log = new EmbeddedEventLog(Options with { RetentionBytes = 8 << 20, WriteBufferBytes = 1 << 20, TailBytes = 1 << 20 });
        await log.CreateTopicAsync(new TopicSettings { Name = Topic, Partitions = 1 }, Token);
        var value = new byte[100_000];
        for (var i = 0; i < 300; i++)
        {
            new Random(i).NextBytes(value);
            await log.AppendAsync([new NewRecord(Topic, 0, default, value.ToArray())], Token);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            if (i % 100 == 99)
            {
                log.ApplyRetention();
            }
        }

        var low = (await log.WatermarksAsync(new TopicPartition(Topic, 0), Token)).Low;
        // 8 MiB are about 84 of them: no more go than must.
        Assert.InRange(low, 205, 230);
        await UntilAsync(() => Task.FromResult(
            Directory.EnumerateFiles(_folder, "*.blob").Sum(f => new FileInfo(f).Length) < 20 << 20));
        await log.DisposeAsync();
        await ReopenAsync();
    }

    [Fact]
    public async Task A_damaged_end_of_the_write_ahead_log_costs_only_what_was_not_acknowledged()
    {
        await CreateAsync(1);
        for (var i = 0; i < 50; i++)
        {
            await Log.AppendAsync([Record("k", $"{i}", 0)], Token);
        }

        // A copy of the files as a power cut would leave them, then a torn write of garbage behind the last record.
        var copy = Directory.CreateTempSubdirectory("monolith-torn-").FullName;
        foreach (var file in Directory.EnumerateFiles(_folder).Where(f => Path.GetFileName(f) != "LOCK"))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        var wal = Directory.EnumerateFiles(copy, "*.log").Single();
        await using (var end = new FileStream(wal, FileMode.Append))
        {
            var garbage = new byte[777];
            new Random(3).NextBytes(garbage);
            await end.WriteAsync(garbage, Token);
        }

        await using var torn = new EmbeddedEventLog(Options with { Folder = copy });
        Assert.Equal(new Watermarks(0, 50), await torn.WatermarksAsync(new TopicPartition(Topic, 0), Token));
        await torn.AppendAsync([Record("k", "50", 0)], Token);
        await torn.DisposeAsync();
        Directory.Delete(copy, recursive: true);
    }
}
