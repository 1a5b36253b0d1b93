using System.Collections.Concurrent;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining.Checkpoints;

public sealed class JoinerCheckpointTests : IAsyncLifetime
{
    private const int Requests = 400;
    private const int Later = 48;
    private readonly Fixture _f = new();
    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentQueue<string> _lines = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private JoinerOptions Options => new() { StateFolder = _folder.Path, CheckpointAfter = 4 * 30 };

    private string[] Checkpoints => Directory.GetFiles(_folder.Path, "checkpoint", SearchOption.AllDirectories);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _f.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_restart_reads_only_what_came_after_the_checkpoints()
    {
        await FillAsync(_f.Log);
        await _f.Log.AppendAsync([_f.Record(Fixture.Impression("later", _f.NowMs, "a"))], Token);
        var log = new CountingLog(_f.Log);
        using var second = await StartAsync(log);
        await ThroughAsync(second);
        Assert.Equal(4, Lines("continues from its checkpoint"));

        // Each checkpoint covers what made it due.
        Assert.NotEmpty(log.Read(_f.Topics.Impressions));
        Assert.All(log.Read(_f.Topics.Impressions), r => Assert.True(r.Offset >= 30));
        Assert.All(log.Read(_f.Topics.Joins), r => Assert.True(r.Offset > 0));
        await EverythingOnceAsync(second, Requests + 1);
    }

    [Fact]
    public async Task A_joiner_without_a_folder_takes_everything_again_and_leaves_no_files()
    {
        await FillAsync(_f.Log, new JoinerOptions());
        var log = new CountingLog(_f.Log);
        using var second = await StartAsync(log, new JoinerOptions());
        await ThroughAsync(second);
        Assert.Equal(Requests, log.Read(_f.Topics.Impressions).Length);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
        await EverythingOnceAsync(second, Requests);
    }

    [Fact]
    public async Task A_checkpoint_that_would_save_little_is_not_taken()
    {
        await FillAsync(_f.Log, Options with { CheckpointAfter = 1_000_000 });
        Assert.Empty(Checkpoints);
    }

    [Fact]
    public async Task A_checkpoint_of_before_others_joined_for_long_is_named_and_not_used()
    {
        await FillAsync(_f.Log);
        using (var other = await StartAsync(_f.Log, new JoinerOptions()))
        {
            await OutliveAsync(other);
            await other.StopAsync(Token);
        }

        using var second = await StartAsync(_f.Log);
        await ThroughAsync(second);
        Assert.Equal(4, Lines("is older than all that is pending"));
        await EverythingOnceAsync(second, Requests + Later);
    }

    [Fact]
    public async Task A_checkpoint_that_saves_nothing_any_more_is_deleted()
    {
        await FillAsync(_f.Log);
        using var second = await StartAsync(_f.Log);
        await OutliveAsync(second);
        await Fixture.UntilAsync(() => Task.FromResult(Checkpoints.Length == 0));
        await EverythingOnceAsync(second, Requests + Later);
    }

    [Theory]
    [InlineData("flipped", "do not match their checksum")]
    [InlineData("cut", "do not match their checksum")]
    [InlineData("empty", "do not match their checksum")]
    [InlineData("window", "Could not find file")]
    [InlineData("window flipped", "do not match their checksum")]
    [InlineData("window cut", "ends too early")]
    public async Task A_damaged_checkpoint_is_named_and_everything_is_taken_again(string damage, string reason)
    {
        await FillAsync(_f.Log);
        foreach (var checkpoint in Checkpoints)
        {
            var windows = Directory.GetFiles(Path.GetDirectoryName(checkpoint)!, "*.impressions");
            Assert.NotEmpty(windows);
            var bytes = await File.ReadAllBytesAsync(damage.StartsWith("window", StringComparison.Ordinal) ? windows[0] : checkpoint, Token);
            switch (damage)
            {
                case "window":
                    File.Delete(windows[0]);
                    break;
                case "window flipped":
                    bytes[5] ^= 1;
                    await File.WriteAllBytesAsync(windows[0], bytes, Token);
                    break;
                case "window cut":
                    await File.WriteAllBytesAsync(windows[0], bytes[..100], Token);
                    break;
                case "flipped":
                    bytes[bytes.Length / 2] ^= 1;
                    await File.WriteAllBytesAsync(checkpoint, bytes, Token);
                    break;
                default:
                    await File.WriteAllBytesAsync(checkpoint, damage == "cut" ? bytes[..^1] : [], Token);
                    break;
            }
        }

        await ReplacedAsync(Fixture.Spec, reason);
    }

    [Fact]
    public async Task A_checkpoint_of_other_rules_is_named_and_everything_is_taken_again()
    {
        await FillAsync(_f.Log);
        await ReplacedAsync(Fixture.Spec with { Join = Fixture.Spec.Join with { AllowedSkew = TimeSpan.FromSeconds(2.5) } }, "were others when it was taken");
    }

    [Fact]
    public async Task A_checkpoint_of_another_log_is_named_and_everything_is_taken_again()
    {
        await using (var other = new Fixture())
        {
            await FillAsync(other.Log);
        }

        // The same input at another time: the same numbers and offsets, but other entries.
        _lines.Clear();
        _f.Time.Advance(TimeSpan.FromSeconds(1));
        await FillAsync(_f.Log, new JoinerOptions());
        await ReplacedAsync(Fixture.Spec, "does not hold its transaction");
    }

    [Fact]
    public async Task A_checkpoint_of_another_version_is_named_and_everything_is_taken_again()
    {
        await FillAsync(_f.Log);
        foreach (var checkpoint in Checkpoints)
        {
            var bytes = await File.ReadAllBytesAsync(checkpoint, Token);
            bytes[0]++;
            System.IO.Hashing.XxHash128.Hash(bytes.AsSpan(0, bytes.Length - 16), bytes.AsSpan(bytes.Length - 16));
            await File.WriteAllBytesAsync(checkpoint, bytes, Token);
        }

        await ReplacedAsync(Fixture.Spec, "It is of version 2; this version reads 1");
    }

    [Fact]
    public async Task A_checkpoint_that_cannot_be_written_is_a_warning_and_the_joiner_goes_on()
    {
        for (var partition = 0; partition < 4; partition++)
        {
            Directory.CreateDirectory(Path.Combine(_folder.Path, "shop.0", $"{partition}", "checkpoint.new"));
        }

        using var joiner = await StartAsync(_f.Log);
        await _f.Log.AppendAsync([.. Enumerable.Range(0, Requests).Select(r => _f.Record(Fixture.Impression($"r{r}", _f.NowMs, "a")))], Token);
        await Fixture.UntilAsync(async () =>
        {
            await _f.Log.AppendAsync([_f.Record(Fixture.Action("r0", "a", _f.NowMs, "noise"))], Token);
            return Lines("could not be written") > 0;
        });
        Assert.Empty(Checkpoints);
        await EverythingOnceAsync(joiner, Requests);
        Assert.Null((await joiner.StatusAsync(Token)).LastError);
    }

    [Fact]
    public async Task Two_joiners_of_a_name_never_work_in_one_folder_and_of_two_names_they_do()
    {
        using var first = await StartAsync(_f.Log);
        using var other = await StartAsync(_f.Log, Options with { Name = "b" });
        using var same = new Joiner(_f.Log, Fixture.Spec, Options, _f.Time, new LinesLogger<Joiner>(_lines.Enqueue));
        await same.StartAsync(Token);
        await Fixture.UntilAsync(async () => (await same.StatusAsync(Token)).LastError?.Contains("is another joiner's", StringComparison.Ordinal) == true);
        await same.StopAsync(Token);
        await other.StopAsync(Token);
        await first.StopAsync(Token);
    }

    /// <summary>Joins pending requests in several windows, with checkpoints, and stops.</summary>
    private async Task FillAsync(IEventLog log, JoinerOptions? options = null)
    {
        using var first = await StartAsync(log, options);
        for (var i = 0; i < Requests; i += 20)
        {
            // Long enough that blocks fill and are written.
            var records = Enumerable.Range(i, 20).Select(r => _f.Record(Fixture.Impression($"r{r}", _f.NowMs, [.. "abcdefgh".Select(c => $"{c}{new string('x', 200)}")])));
            await log.AppendAsync([.. records], Token);
            await ThroughAsync(first);
        }

        // One at a time, between transactions: actions that say nothing keep them coming.
        await Fixture.UntilAsync(async () =>
        {
            await log.AppendAsync([_f.Record(Fixture.Action("r0", "a", _f.NowMs, "noise"))], Token);
            return options is not null || Checkpoints.Length == 4;
        });
        await ThroughAsync(first);
        await first.StopAsync(Token);
    }

    /// <summary>Joins a few requests, windows apart, until nothing of before is needed.</summary>
    private async Task OutliveAsync(Joiner joiner)
    {
        for (var i = 0; i < Later; i += Later / 3)
        {
            _f.Time.Advance(TimeSpan.FromSeconds(25));
            await _f.Log.AppendAsync([.. Enumerable.Range(i, Later / 3).Select(r => _f.Record(Fixture.Impression($"later{r}", _f.NowMs, "a")))], Token);
            await ThroughAsync(joiner);
        }
    }

    private async Task ReplacedAsync(ModelSpec spec, string reason)
    {
        var log = new CountingLog(_f.Log);
        using var second = await StartAsync(log, spec: spec);
        await ThroughAsync(second);
        Assert.Equal(Requests, log.Read(_f.Topics.Impressions).Length);
        Assert.Equal(4, _lines.Count(l => l.StartsWith("Warning", StringComparison.Ordinal) && l.Contains("is not used", StringComparison.Ordinal)));
        Assert.Equal(4, Lines(reason));
        await EverythingOnceAsync(second, Requests);
    }

    private async Task<Joiner> StartAsync(IEventLog log, JoinerOptions? options = null, ModelSpec? spec = null)
    {
        var joiner = new Joiner(log, spec ?? Fixture.Spec, options ?? Options, _f.Time, new LinesLogger<Joiner>(_lines.Enqueue));
        await joiner.StartAsync(Token);
        await Fixture.UntilAsync(async () => (await joiner.StatusAsync(Token)).Running);
        return joiner;
    }

    private static Task ThroughAsync(Joiner joiner)
        => Fixture.UntilAsync(async () => await joiner.StatusAsync(Token) is { Partitions: 4, Lag: 0 });

    private async Task EverythingOnceAsync(Joiner joiner, int requests)
    {
        _f.Time.Advance(TimeSpan.FromSeconds(13));
        var groups = await _f.GroupsAsync(requests);
        Assert.Equal(requests, groups.Select(g => g.RequestId).Distinct().Count());
        Assert.Equal(requests, groups.Count);
        await joiner.StopAsync(Token);
    }

    private int Lines(string text) => _lines.Count(l => l.Contains(text, StringComparison.Ordinal));
}
