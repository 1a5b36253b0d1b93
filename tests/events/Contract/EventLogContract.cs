using System.Runtime.CompilerServices;
using System.Text;

namespace Monolith.Events.Tests.Contract;

/// <summary>What every event log does, whatever it stands on.</summary>
public abstract class EventLogContract : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected IEventLog Log { get; private set; } = null!;

    /// <summary>A name no other test uses.</summary>
    protected string Topic { get; } = $"t-{Guid.NewGuid():N}";

    public virtual async ValueTask InitializeAsync() => Log = await OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        // A test that was skipped has none.
        if (Log is not null)
        {
            await Log.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    protected abstract ValueTask<IEventLog> OpenAsync();

    /// <summary>Skips a test, with the reason, that the server behind the log is not able to pass.</summary>
    protected virtual void SkipWhatTheServerCannot([CallerMemberName] string test = "")
    {
    }

    /// <summary>Closes the log and opens it again.</summary>
    protected async Task ReopenAsync()
    {
        await Log.DisposeAsync();
        Log = await OpenAsync();
    }

    [Fact]
    public async Task What_was_appended_is_read_in_order_with_keys_headers_and_times()
    {
        await CreateAsync(1);
        var before = DateTimeOffset.UtcNow.AddSeconds(-5).ToUnixTimeMilliseconds();
        await Log.AppendAsync(
            [
                Record("a", "1", 0) with { Headers = [new EventHeader("content-type", "application/json"u8.ToArray())] },
                Record("b", "2", 0),
                Record(string.Empty, string.Empty, 0),
            ],
            Token);
        var records = await ReadAsync(0, 0, 3);
        Assert.Equal(["a=1", "b=2", "="], records.Select(Text));
        Assert.Equal("content-type", Assert.Single(records[0].Headers!).Name);
        Assert.Equal("application/json", Encoding.UTF8.GetString(records[0].Headers![0].Value.Span));
        Assert.True(records[1].Headers is null or { Count: 0 });
        Assert.All(records, r => Assert.InRange(r.AppendTimeMs, before, before + 60_000));
        Assert.True(records[0].Offset < records[1].Offset && records[1].Offset < records[2].Offset);
    }

    [Fact]
    public async Task Reading_starts_at_any_offset_and_goes_on_from_the_next()
    {
        await CreateAsync(1);
        await Log.AppendAsync([.. Enumerable.Range(0, 1000).Select(i => Record("k", $"{i}", 0))], Token);
        var all = await ReadAsync(0, 0, 1000);
        foreach (var start in new[] { 1, 17, 500, 999 })
        {
            var rest = await ReadAsync(0, all[start].Offset, 1000 - start, maxRecords: 64);
            Assert.Equal(all.Skip(start).Select(Text), rest.Select(Text));
        }
    }

    [Fact]
    public async Task A_key_decides_the_partition_as_Javas_client_does()
    {
        await CreateAsync(4);
        await Log.AppendAsync([.. Enumerable.Range(0, 100).Select(i => Record($"key{i}", "v", NewRecord.ByKey))], Token);
        for (var partition = 0; partition < 4; partition++)
        {
            var expected = Enumerable.Range(0, 100).Where(i => Contracts.Events.Partitioner.Of($"key{i}", 4) == partition).ToList();
            var records = await ReadAsync(partition, 0, expected.Count);
            Assert.Equal(expected.Select(i => $"key{i}=v"), records.Select(Text));
        }
    }

    [Fact]
    public async Task A_reader_at_the_end_is_woken_by_an_append_and_says_when_it_is_at_the_end()
    {
        await CreateAsync(1);
        await using var reader = Log.OpenReader(new PartitionOffset(new TopicPartition(Topic, 0), 0));
        await UntilAsync(async () => Assert.Single(await reader.ReadAsync(10, TimeSpan.FromMilliseconds(50), Token)).AtEnd);
        var waiting = reader.ReadAsync(10, Patience, Token).AsTask();
        Assert.False(waiting.IsCompleted);
        await Log.AppendAsync([Record("a", "1", 0)], Token);
        var batch = Assert.Single(await waiting.WaitAsync(Patience, Token));
        Assert.Equal("a=1", Text(Assert.Single(batch.Records.ToArray())));
        Assert.Equal(batch.Records.Span[0].NextOffset, batch.NextOffset);
    }

    [Fact]
    public async Task A_wait_ends_in_time_and_by_cancellation()
    {
        await CreateAsync(1);
        await using var reader = Log.OpenReader(new PartitionOffset(new TopicPartition(Topic, 0), 0));
        var batch = Assert.Single(await reader.ReadAsync(10, TimeSpan.FromMilliseconds(100), Token).AsTask().WaitAsync(Patience, Token));
        Assert.Equal(0, batch.Records.Length);
        using var cancel = new CancellationTokenSource();
        var waiting = reader.ReadAsync(10, TimeSpan.FromMinutes(5), cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience, Token));
    }

    [Fact]
    public async Task A_reader_of_several_partitions_answers_for_each_in_the_order_given()
    {
        await CreateAsync(3);
        await Log.AppendAsync([Record("a", "1", 2), Record("b", "2", 0)], Token);
        await using var reader = Log.OpenReader(
            new PartitionOffset(new TopicPartition(Topic, 2), 0),
            new PartitionOffset(new TopicPartition(Topic, 1), 0),
            new PartitionOffset(new TopicPartition(Topic, 0), 0));
        var seen = new List<string>();
        await UntilAsync(async () =>
        {
            var batches = await reader.ReadAsync(10, TimeSpan.FromMilliseconds(200), Token);
            Assert.Equal([2, 1, 0], batches.Select(b => b.Partition.Partition));
            seen.AddRange(batches.SelectMany(b => b.Records.ToArray()).Select(Text));
            return seen.Count == 2;
        });
        Assert.Equal(["a=1", "b=2"], seen.Order());
        reader.Remove(new TopicPartition(Topic, 2));
        await Log.AppendAsync([Record("c", "3", 2), Record("d", "4", 1)], Token);
        seen.Clear();
        await UntilAsync(async () =>
        {
            seen.AddRange((await reader.ReadAsync(10, TimeSpan.FromMilliseconds(200), Token)).SelectMany(b => b.Records.ToArray()).Select(Text));
            return seen.Count == 1;
        });
        Assert.Equal(["d=4"], seen);
    }

    [Fact]
    public async Task Watermarks_frame_what_is_there()
    {
        await CreateAsync(2);
        var partition = new TopicPartition(Topic, 1);
        Assert.Equal(new Watermarks(0, 0), await Log.WatermarksAsync(partition, Token));
        await Log.AppendAsync([Record("a", "1", 1), Record("b", "2", 1)], Token);
        var watermarks = await Log.WatermarksAsync(partition, Token);
        Assert.Equal(0, watermarks.Low);
        Assert.True(watermarks.High >= 2);
    }

    [Fact]
    public async Task Creating_a_topic_again_does_nothing_and_another_count_is_refused()
    {
        SkipWhatTheServerCannot();
        await CreateAsync(2);
        await CreateAsync(2);
        Assert.Equal(2, await Log.PartitionsAsync(Topic, Token));
        Assert.Equal(0, await Log.PartitionsAsync("no-such-topic", Token));
        var refused = await Assert.ThrowsAsync<EventLogException>(() => CreateAsync(3));
        Assert.Contains(Topic, refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<EventLogException>(() => Log.CreateTopicAsync(new TopicSettings { Name = "no spaces" }, Token).AsTask());
    }

    [Fact]
    public async Task An_append_to_a_missing_topic_or_partition_is_refused()
    {
        SkipWhatTheServerCannot();
        await CreateAsync(1);
        await Assert.ThrowsAsync<EventLogException>(() => Log.AppendAsync([Record("a", "1", 5)], Token).AsTask());
        await Assert.ThrowsAsync<EventLogException>(
            () => Log.AppendAsync([new NewRecord("no-such-topic", 0, default, default)], Token).AsTask());
    }

    [Fact]
    public async Task Committed_offsets_are_found_again_by_group()
    {
        await CreateAsync(2);
        var (zero, one) = (new TopicPartition(Topic, 0), new TopicPartition(Topic, 1));
        var group = $"g-{Topic}";
        Assert.Empty(await Log.CommittedAsync(group, [zero, one], Token));
        await Log.CommitAsync(group, [new CommittedOffset(zero, 7)], Token);
        await Log.CommitAsync(group, [new CommittedOffset(zero, 5)], Token);
        Assert.Equal(new CommittedOffset(zero, 5), Assert.Single(await Log.CommittedAsync(group, [zero, one], Token)));
        Assert.Empty(await Log.CommittedAsync(group + "2", [zero, one], Token));
        await ReopenAsync();
        Assert.Equal(new CommittedOffset(zero, 5), Assert.Single(await Log.CommittedAsync(group, [zero, one], Token)));
    }

    [Fact]
    public async Task Everything_is_there_after_opening_again()
    {
        await CreateAsync(2);
        for (var i = 0; i < 20; i++)
        {
            await Log.AppendAsync([Record("k", $"{i}", i % 2)], Token);
        }

        await ReopenAsync();
        Assert.Equal(2, await Log.PartitionsAsync(Topic, Token));
        await Log.AppendAsync([Record("k", "20", 0)], Token);
        var records = await ReadAsync(0, 0, 11);
        Assert.Equal(Enumerable.Range(0, 11).Select(i => $"k={2 * i}"), records.Select(Text));
        Assert.Equal(records.Select(r => r.Offset).Distinct().Order(), records.Select(r => r.Offset));
    }

    [Fact]
    public async Task A_transaction_moves_records_and_offsets_together()
    {
        SkipWhatTheServerCannot();
        await CreateAsync(2);
        var group = $"g-{Topic}";
        await using var member = await Log.JoinGroupAsync(group, Topic, Token);
        await OwnAsync(member, 2);
        await using var writer = await Log.OpenWriterAsync($"w-{Topic}", Token);
        for (var i = 1; i <= 3; i++)
        {
            await writer.CommitAsync(
                new EventTransaction(
                    [Record("a", $"{i}", 0), Record("b", $"{i}", 1)],
                    member,
                    [new CommittedOffset(new TopicPartition(Topic, 0), i)]),
                Token);
        }

        Assert.Equal(["a=1", "a=2", "a=3"], (await ReadAsync(0, 0, 3)).Select(Text));
        Assert.Equal(["b=1", "b=2", "b=3"], (await ReadAsync(1, 0, 3)).Select(Text));
        var committed = Assert.Single(await Log.CommittedAsync(group, [new TopicPartition(Topic, 0)], Token));
        Assert.Equal(3, committed.Offset);
    }

    [Fact]
    public async Task A_second_writer_of_a_name_fences_the_first()
    {
        SkipWhatTheServerCannot();
        await CreateAsync(1);
        await using var member = await Log.JoinGroupAsync($"g-{Topic}", Topic, Token);
        await OwnAsync(member, 1);
        await using var first = await Log.OpenWriterAsync($"w-{Topic}", Token);
        await using var second = await Log.OpenWriterAsync($"w-{Topic}", Token);
        await Assert.ThrowsAsync<FencedException>(() => first.CommitAsync(Transaction("first"), Token).AsTask());
        await second.CommitAsync(Transaction("second"), Token);
        Assert.Equal(["k=second"], (await ReadAsync(0, 0, 1)).Select(Text));

        EventTransaction Transaction(string value)
            => new([Record("k", value, 0)], member, [new CommittedOffset(new TopicPartition(Topic, 0), 1)]);
    }

    [Fact]
    public async Task Members_of_a_group_share_the_partitions_and_take_over_from_those_who_leave()
    {
        await CreateAsync(4);
        var first = await Log.JoinGroupAsync($"g-{Topic}", Topic, Token);
        await OwnAsync(first, 4);
        await using var second = await Log.JoinGroupAsync($"g-{Topic}", Topic, Token);
        var (ofFirst, ofSecond) = (new HashSet<int>([0, 1, 2, 3]), new HashSet<int>());
        await UntilAsync(async () =>
        {
            Apply(ofFirst, await first.PollAsync(Token));
            Apply(ofSecond, await second.PollAsync(Token));
            Assert.Empty(ofFirst.Intersect(ofSecond));
            return ofFirst.Count == 2 && ofSecond.Count == 2;
        });
        await first.DisposeAsync();
        await UntilAsync(async () =>
        {
            Apply(ofSecond, await second.PollAsync(Token));
            return ofSecond.Count == 4;
        });
    }

    [Fact]
    public async Task The_new_owner_of_a_partition_that_moved_commits_for_it()
    {
        await CreateAsync(2);
        var group = $"g-{Topic}";
        await using var first = await Log.JoinGroupAsync(group, Topic, Token);
        await OwnAsync(first, 2);
        await using var writer = await Log.OpenWriterAsync($"w-{Topic}", Token);
        await using var second = await Log.JoinGroupAsync(group, Topic, Token);
        var lost = new HashSet<int>();
        var gained = new HashSet<int>();
        await UntilAsync(async () =>
        {
            lost.UnionWith((await first.PollAsync(Token)).Revoked);
            gained.UnionWith((await second.PollAsync(Token)).Assigned);
            return gained.Count == 1 && lost.Count == 1;
        });
        await using var takenOver = await Log.OpenWriterAsync($"w2-{Topic}", Token);
        var moved = new TopicPartition(Topic, gained.Single());
        await takenOver.CommitAsync(new EventTransaction([Record("k", "new owner", 0)], second, [new CommittedOffset(moved, 1)]), Token);
    }

    [Fact]
    public async Task Many_writers_at_once_lose_and_repeat_nothing()
    {
        await CreateAsync(3);
        const int Writers = 8, Each = 40;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(
            async () =>
            {
                for (var i = 0; i < Each; i++)
                {
                    await Log.AppendAsync([.. Enumerable.Range(0, 3).Select(p => Record($"w{w}", $"{i}", p))], Token);
                }
            },
            Token)));
        for (var partition = 0; partition < 3; partition++)
        {
            var records = await ReadAsync(partition, 0, Writers * Each);
            foreach (var writer in records.GroupBy(r => Encoding.UTF8.GetString(r.Key.Span)))
            {
                Assert.Equal(Enumerable.Range(0, Each).Select(i => $"{i}"), writer.Select(r => Encoding.UTF8.GetString(r.Value.Span)));
            }
        }
    }

    [Fact]
    public async Task A_megabyte_goes_through()
    {
        await CreateAsync(1);
        var value = new byte[900_000];
        new Random(1).NextBytes(value);
        await Log.AppendAsync([new NewRecord(Topic, 0, default, value)], Token);
        Assert.Equal(value, Assert.Single(await ReadAsync(0, 0, 1)).Value.ToArray());
    }

    protected static string Text(EventRecord record)
        => $"{Encoding.UTF8.GetString(record.Key.Span)}={Encoding.UTF8.GetString(record.Value.Span)}";

    protected NewRecord Record(string key, string value, int partition)
        => new(Topic, partition, Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value));

    protected virtual async Task CreateAsync(int partitions)
        => await Log.CreateTopicAsync(new TopicSettings { Name = Topic, Partitions = partitions }, Token);

    /// <summary>Reads until there are as many as expected, then checks that no more come.</summary>
    protected async Task<List<EventRecord>> ReadAsync(int partition, long from, int expected, int maxRecords = 500)
    {
        await using var reader = Log.OpenReader(new PartitionOffset(new TopicPartition(Topic, partition), from));
        var records = new List<EventRecord>();
        await UntilAsync(async () =>
        {
            var batch = Assert.Single(await reader.ReadAsync(maxRecords, TimeSpan.FromMilliseconds(200), Token));
            Assert.True(batch.Records.Length <= maxRecords);
            records.AddRange(batch.Records.ToArray());
            return batch.AtEnd && records.Count >= expected;
        });
        Assert.Equal(expected, records.Count);
        return records;
    }

    protected static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        while (!await condition())
        {
            // Polls return at once: without a pause, two members would leave no processor to the cluster they wait for.
            await Task.Delay(TimeSpan.FromMilliseconds(10), patience.Token);
        }
    }

    private static async Task OwnAsync(IGroupMember member, int partitions)
    {
        var owned = new HashSet<int>();
        await UntilAsync(async () =>
        {
            Apply(owned, await member.PollAsync(Token));
            return owned.Count == partitions;
        });
    }

    private static void Apply(HashSet<int> owned, GroupChange change)
    {
        owned.ExceptWith(change.Revoked);
        owned.UnionWith(change.Assigned);
    }
}
