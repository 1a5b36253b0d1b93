using System.Text;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Events.Embedded;
using Monolith.Ingestion.Joining;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Ingestion.Tests;

/// <summary>A model, events of it, an embedded log in a folder of its own, and a clock.</summary>
internal sealed class Fixture : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public Fixture()
    {
        Log = new EmbeddedEventLog(LogOptions);
    }

    public static ModelSpec Spec { get; } = SpecOf("click");

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));

    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public IEventLog Log { get; private set; }

    public ModelTopics Topics { get; } = new(Spec.Name);

    private string Folder { get; } = Directory.CreateTempSubdirectory("monolith-ingestion-").FullName;

    private EmbeddedEventLogOptions LogOptions => new() { Folder = Folder, Time = Time };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static ModelSpec SpecOf(params string[] tasks) => new()
    {
        Name = "shop",
        PartitionBy = "user",
        Features = [new CategoricalFeature { Name = "user", Source = "user_id", Table = "main" }],
        Tables = [new TableSpec { Name = "main", Segments = [new SegmentSpec { Dimension = 1, Optimizer = new SgdOptimizer() }] }],
        Network = new DeepFmNetwork(),
        Tasks = [.. tasks.Select(t => new TaskSpec { Name = t, Label = t })],
        Join = new JoinSpec { Window = TimeSpan.FromSeconds(10), AllowedSkew = TimeSpan.FromSeconds(2) },
    };

    /// <summary>
    /// Two tasks that close one after the other: clicks, half of whose negatives are kept and which hiding makes a negative,
    /// and purchases, of which all are.
    /// </summary>
    public static ModelSpec TwoTasks { get; } = SpecOf("click", "buy") with
    {
        Tasks =
        [
            new TaskSpec
            {
                Name = "click",
                Label = "click",
                Actions = [new ActionRule { Kind = "click" }, new ActionRule { Kind = "hide", IsPositive = false }],
                KeepNegatives = 0.5,
            },
            new TaskSpec { Name = "buy", Label = "buy", Actions = [new ActionRule { Kind = "buy", WeightIsValue = true }] },
        ],
        Join = new JoinSpec
        {
            Window = TimeSpan.FromSeconds(10),
            AllowedSkew = TimeSpan.FromSeconds(2),
            Windows = [new KindWindow("buy", TimeSpan.FromSeconds(15))],
        },
    };

    public static Impression Impression(string request, long timeMs, params string[] items)
    {
        var impression = new Impression { RequestId = request, EventTimeMs = timeMs };
        impression.Shared["user_id"] = new FeatureValue { Text = $"u{request}" };
        impression.Shared["city"] = new FeatureValue { Integer = 12 };
        foreach (var item in items)
        {
            var shown = new ShownItem { ItemId = item, Score = 0.25f };
            shown.Features["tags"] = new FeatureValue { List = new TextList { Values = { "new", item } } };
            impression.Items.Add(shown);
        }

        return impression;
    }

    public static EventAction Action(string request, string item, long timeMs, string kind = "click")
        => new() { RequestId = request, ItemId = item, Kind = kind, EventTimeMs = timeMs };

    public NewRecord Record(Impression impression)
        => new(Topics.Impressions, NewRecord.ByKey, Encoding.UTF8.GetBytes(impression.RequestId), impression.ToByteArray());

    public NewRecord Record(EventAction action)
        => new(Topics.Actions, NewRecord.ByKey, Encoding.UTF8.GetBytes(action.RequestId), action.ToByteArray());

    public async Task<Joiner> StartJoinerAsync(ModelSpec? spec = null, JoinerOptions? options = null, IEventLog? log = null)
    {
        var joiner = new Joiner(log ?? Log, spec ?? Spec, options ?? new JoinerOptions(), Time, NullLogger<Joiner>.Instance);
        await joiner.StartAsync(Token);
        await UntilAsync(async () => (await joiner.StatusAsync(Token)).Running);
        return joiner;
    }

    public async Task ReopenAsync()
    {
        await Log.DisposeAsync();
        Log = new EmbeddedEventLog(LogOptions);
    }

    /// <summary>Everything in a topic, once there are at least so many records.</summary>
    public async Task<List<EventRecord>> ReadAsync(string topic, int atLeast)
    {
        var records = new List<EventRecord>();
        await UntilAsync(async () =>
        {
            records.Clear();
            for (var partition = 0; partition < await Log.PartitionsAsync(topic, Token); partition++)
            {
                await using var reader = Log.OpenReader(new PartitionOffset(new TopicPartition(topic, partition), 0));
                records.AddRange((await reader.ReadAsync(100_000, TimeSpan.Zero, Token))[0].Records.ToArray());
            }

            return records.Count >= atLeast;
        });
        return records;
    }

    public async Task<List<ExampleGroup>> GroupsAsync(int atLeast)
        => (await ReadAsync(Topics.Examples, atLeast)).ConvertAll(r => ExampleGroup.Parser.ParseFrom(r.Value.Span));

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        while (!await condition())
        {
            await Task.Delay(5, patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Log.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
