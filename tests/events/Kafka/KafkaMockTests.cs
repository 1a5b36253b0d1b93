using System.Runtime.CompilerServices;
using Monolith.Events.Kafka;
using Monolith.Events.Tests.Contract;

namespace Monolith.Events.Tests.Kafka;

/// <summary>
/// The contract on librdkafka's mock cluster: the Kafka code is exercised also where no broker can be started, and the
/// broker can be made to fail.
/// </summary>
public sealed class KafkaMockTests : EventLogContract
{
    private const short Produce = 0;
    private const short OffsetFetch = 9;
    private const short EndTransaction = 26;
    private const int NotLeader = 6;
    private const int NotEnoughReplicas = 19;
    private const int CoordinatorLoading = 14;
    private const int NotCoordinator = 16;
    private const int TooLarge = 10;
    private readonly MockCluster _cluster = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _cluster.Dispose();
    }

    [Fact]
    public async Task Appends_that_the_broker_refuses_for_a_while_arrive_once_and_in_order()
    {
        await CreateAsync(1);
        _cluster.Fail(Produce, NotEnoughReplicas, NotLeader, NotEnoughReplicas);
        for (var i = 0; i < 20; i++)
        {
            await Log.AppendAsync([Record("k", $"{i}", 0)], Token);
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"k={i}"), (await ReadAsync(0, 0, 20)).Select(Text));
    }

    [Fact]
    public async Task What_waits_behind_a_flight_arrives_after_it_in_order()
    {
        await CreateAsync(1);
        var padding = new string('v', 40_000);
        var appends = Enumerable.Range(0, 40).Select(i => Log.AppendAsync([.. Enumerable.Range(0, 3).Select(j => Record($"{(3 * i) + j}", padding, 0))], Token).AsTask()).ToList();
        await Task.WhenAll(appends);
        Assert.Equal(Enumerable.Range(0, 120).Select(i => $"{i}={padding}"), (await ReadAsync(0, 0, 120)).Select(Text));
    }

    [Fact]
    public async Task What_waits_behind_a_flight_that_timed_out_fails_with_it()
    {
        await CreateAsync(1);
        var patience = TimeSpan.FromSeconds(4);
        await using var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = _cluster.Bootstrap, Timeout = patience });
        await log.AppendAsync([Record("k", "before", 0)], Token);
        _cluster.Fail(Produce, [.. Enumerable.Repeat(NotEnoughReplicas, 10_000)]);
        var first = log.AppendAsync([Record("k", "1", 0)], Token).AsTask();
        var second = log.AppendAsync([Record("k", "2", 0)], Token).AsTask();
        Assert.Contains("timed out", (await Assert.ThrowsAsync<EventLogException>(() => first)).Message, StringComparison.Ordinal);
        var behind = await Assert.ThrowsAsync<EventLogException>(() => second.WaitAsync(patience / 2, Token));
        Assert.False(behind.OutcomeUnknown);
        _cluster.Fail(Produce);
        Assert.Equal(["k=before"], (await ReadAsync(0, 0, 1)).Select(Text));
    }

    [Fact]
    public async Task A_log_that_is_closed_says_so_to_whoever_still_waits()
    {
        await CreateAsync(1);
        var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = _cluster.Bootstrap, Timeout = TimeSpan.FromSeconds(1) });
        await log.AppendAsync([Record("k", "before", 0)], Token);
        _cluster.Fail(Produce, [.. Enumerable.Repeat(NotEnoughReplicas, 10_000)]);
        var appends = Enumerable.Range(0, 3).Select(i => log.AppendAsync([Record("k", $"{i}", 0)], Token).AsTask()).ToList();
        await log.DisposeAsync();
        foreach (var append in appends)
        {
            await Assert.ThrowsAsync<EventLogException>(() => append.WaitAsync(TimeSpan.FromSeconds(20), Token));
        }
    }

    [Fact]
    public async Task A_transaction_larger_than_a_request_arrives_whole_and_in_order()
    {
        await CreateAsync(2);
        await using var member = await Log.JoinGroupAsync($"g-{Topic}", Topic, Token);
        await using var writer = await Log.OpenWriterAsync($"w-{Topic}", Token);
        var padding = new string('v', 30_000);
        var records = Enumerable.Range(0, 60).Select(i => Record($"{i}", padding, i % 4 == 3 ? 1 : 0)).ToList();
        await writer.CommitAsync(new EventTransaction(records, member, []), Token);
        for (var partition = 0; partition < 2; partition++)
        {
            var expected = Enumerable.Range(0, 60).Where(i => (i % 4 == 3 ? 1 : 0) == partition).Select(i => $"{i}={padding}").ToList();
            Assert.Equal(expected, (await ReadAsync(partition, 0, expected.Count)).Select(Text));
        }
    }

    [Fact]
    public async Task A_transaction_outlives_a_coordinator_that_is_loading()
    {
        await CreateAsync(1);
        await using var member = await Log.JoinGroupAsync($"g-{Topic}", Topic, Token);
        await UntilAsync(async () => (await member.PollAsync(Token)).Assigned.Count == 1);
        await using var writer = await Log.OpenWriterAsync($"w-{Topic}", Token);
        _cluster.Fail(EndTransaction, CoordinatorLoading, CoordinatorLoading);
        await writer.CommitAsync(
            new EventTransaction([Record("a", "1", 0)], member, [new CommittedOffset(new TopicPartition(Topic, 0), 1)]),
            Token);
        Assert.Equal(["a=1"], (await ReadAsync(0, 0, 1)).Select(Text));
    }

    [Fact]
    public async Task A_transaction_of_which_a_record_is_refused_fails_and_the_next_one_does_not()
    {
        await CreateAsync(1);
        await using var member = await Log.JoinGroupAsync($"g-{Topic}", Topic, Token);
        await using var writer = await Log.OpenWriterAsync($"w-{Topic}", Token);
        _cluster.Fail(Produce, TooLarge);
        var failure = await Assert.ThrowsAsync<EventLogException>(
            () => writer.CommitAsync(new EventTransaction([Record("a", "1", 0)], member, []), Token).AsTask());
        Assert.False(failure.OutcomeUnknown);
        await writer.CommitAsync(new EventTransaction([Record("a", "2", 0)], member, []), Token);
        Assert.Equal(["a=2"], (await ReadAsync(0, 0, 1)).Select(Text));
    }

    [Fact]
    public async Task A_groups_offsets_are_asked_for_again_while_its_coordinator_moves()
    {
        await CreateAsync(1);
        await Log.CommitAsync($"g-{Topic}", [new CommittedOffset(new TopicPartition(Topic, 0), 7)], Token);
        _cluster.Fail(OffsetFetch, [.. Enumerable.Repeat(NotCoordinator, 8)]);
        Assert.Equal(7, Assert.Single(await Log.CommittedAsync($"g-{Topic}", [new TopicPartition(Topic, 0)], Token)).Offset);
    }

    [Fact]
    public async Task A_client_setting_goes_before_our_own_choice()
    {
        await CreateAsync(1);
        var settings = new Dictionary<string, string> { ["message.max.bytes"] = "2000" };
        await using var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = _cluster.Bootstrap, Settings = settings });
        var large = new string('v', 10_000);
        await Assert.ThrowsAsync<EventLogException>(() => log.AppendAsync([Record("k", large, 0)], Token).AsTask());
        await Log.AppendAsync([Record("k", large, 0)], Token);
        Assert.Equal([$"k={large}"], (await ReadAsync(0, 0, 1)).Select(Text));
    }

    protected override ValueTask<IEventLog> OpenAsync()
        => ValueTask.FromResult<IEventLog>(new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = _cluster.Bootstrap }));

    protected override void SkipWhatTheServerCannot([CallerMemberName] string test = "") => Assert.Skip(test switch
    {
        nameof(A_second_writer_of_a_name_fences_the_first) => "librdkafka's mock cluster does not fence an older writer",
        nameof(A_transaction_moves_records_and_offsets_together) => "librdkafka's mock cluster forgets a transaction's offsets",
        _ => "librdkafka's mock cluster creates every topic that is asked for",
    });

    /// <summary>The mock cannot create topics on request.</summary>
    protected override async Task CreateAsync(int partitions)
    {
        _cluster.CreateTopic(Topic, partitions);
        await base.CreateAsync(partitions);
    }
}
