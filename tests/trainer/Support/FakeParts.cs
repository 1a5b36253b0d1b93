using System.Buffers;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Federation;
using Monolith.Silos.Parts;
using Monolith.Trainer.Parts;

namespace Monolith.Trainer.Tests.Support;

/// <summary>A part that counts what it was given, under the rules of the real ones; its offsets are the real implementation.</summary>
internal abstract class FakePart(Chaos chaos) : IPart
{
    private Action _restore = () => { };

    public AppliedOffsets Offsets { get; private set; } = new();

    /// <summary>False: the part applies whatever comes. What the tests must notice.</summary>
    public bool ChecksOffsets { get; init; } = true;

    /// <summary>Pushes seen, applied or not.</summary>
    public List<PartitionSpan> Spans { get; } = [];

    protected Chaos Chaos { get; } = chaos;

    public ValueTask<ClaimReply> Claim(PartitionClaim claim) => Chaos.Call(this, () => OnClaim(claim));

    public Task Save() => Task.CompletedTask;

    public ValueTask<long> SavedThrough(string partition) => new(0L);

    public void Snapshot()
    {
        var (offsets, stream, restore) = (Offsets.All, Offsets.Stream, Copy());
        _restore = () =>
        {
            Offsets = AppliedOffsets.Restore(offsets, stream);
            restore();
        };
    }

    public void Restore() => _restore();

    /// <summary>Copies the state; what it returns puts the copy back.</summary>
    protected abstract Action Copy();

    protected virtual ClaimReply OnClaim(PartitionClaim claim) => Offsets.Claim(claim);

    protected ValueTask<PushReply> Push(PartitionSpan span, Action apply) => Chaos.Call(this, () =>
    {
        Spans.Add(span);
        var reply = Offsets.TryApply(span);
        if (reply.Outcome == PushOutcome.Applied || !ChecksOffsets)
        {
            apply();
        }

        return reply;
    });
}

/// <summary>Rows are zeros; what is counted is how often each id occurred in pushes.</summary>
internal sealed class FakeShard : FakePart, IEmbeddingShardGrain
{
    private readonly ModelSpec _spec;

    public FakeShard(ModelSpec spec, Chaos chaos)
        : base(chaos)
    {
        _spec = spec;
        Snapshot();
    }

    public int Index { get; init; }

    public Dictionary<ulong, int> Occurrences { get; private set; } = [];

    public Dictionary<ulong, float[]> Gradients { get; } = [];

    public Dictionary<ulong, uint> EventTimes { get; } = [];

    public long CanaryMs { get; private set; }

    public ValueTask<Block> Lookup(LookupRequest request) => Chaos.Call(this, () =>
    {
        var block = Block.Rent<float>(request.Counts.Index().Sum(t => t.Item * _spec.WithCanary()[t.Index].Dimension));
        block.Bytes.Clear();
        return block;
    });

    public ValueTask<PushReply> Push(GradientPush push) => Push(push.Span, () => Apply(push));

    public ValueTask<ShardStatus> Status() => throw new NotSupportedException();

    public ValueTask<RowReport> Explain(int table, ulong id) => throw new NotSupportedException();

    public ValueTask<TableReport[]> Tables() => throw new NotSupportedException();

    protected override Action Copy()
    {
        var copy = new Dictionary<ulong, int>(Occurrences);
        return () => Occurrences = new Dictionary<ulong, int>(copy);
    }

    private void Apply(GradientPush push)
    {
        var (id, value) = (0, 0);
        for (var t = 0; t < push.Counts.Length; t++)
        {
            var dimension = _spec.WithCanary()[t].Dimension;
            for (var i = 0; i < push.Counts[t]; i++, id++, value += dimension)
            {
                var gradient = push.Gradients.As<float>().Slice(value, dimension);
                if (t == _spec.Tables.Length)
                {
                    Assert.Equal(Index, ShardMap.Of(push.Ids.As<ulong>()[id], _spec.Shards));
                    CanaryMs = CanaryTable.Decode(gradient);
                    continue;
                }

                var key = push.Ids.As<ulong>()[id];
                Occurrences[key] = Occurrences.GetValueOrDefault(key) + push.Occurrences.As<int>()[id];
                Gradients[key] = gradient.ToArray();
                EventTimes[key] = push.EventTimes.As<uint>()[id];
            }
        }
    }
}

/// <summary>Counts examples by their served score, which the tests make unique.</summary>
internal sealed class FakeMetrics : FakePart, IMetricsGrain
{
    public FakeMetrics(Chaos chaos)
        : base(chaos) => Snapshot();

    public Dictionary<float, int> Examples { get; private set; } = [];

    public List<int[]> Groups { get; } = [];

    public ValueTask<PushReply> Push(MetricsPush push) => Push(push.Span, () =>
    {
        Groups.Add(push.Groups);
        foreach (var example in push.ServedScores.As<float>())
        {
            Examples[example] = Examples.GetValueOrDefault(example) + 1;
        }
    });

    public ValueTask<MetricsReport> Report() => throw new NotSupportedException();

    protected override Action Copy()
    {
        var copy = new Dictionary<float, int>(Examples);
        return () => Examples = new Dictionary<float, int>(copy);
    }
}

/// <summary>The real dense state; every report is a round of its own.</summary>
internal sealed class FakeFederation : FakePart, IFederationGrain
{
    private readonly ModelSpec _spec;

    public FakeFederation(ModelSpec spec, Chaos chaos)
        : base(chaos)
    {
        _spec = spec;
        Model = new DenseModel(spec);
        Snapshot();
    }

    public DenseModel Model { get; private set; }

    public List<string> Left { get; } = [];

    public List<RoundReport> Reports { get; } = [];

    /// <summary>Rounds stay open until this completes.</summary>
    public Task Open { get; set; } = Task.CompletedTask;

    public ValueTask<DenseState> Join(string worker, RoundMode mode) => Chaos.Call(this, () => State(Model.OptimizerStart(worker)));

    public async ValueTask<RoundReply> Report(RoundReport report)
    {
        await Open;
        return await Chaos.Call(this, () =>
        {
            Reports.Add(report);
            Spans.AddRange(report.Spans);
            var outcome = ChecksOffsets ? Model.Add(report) : Add(report);
            Model.CloseRound();
            return new RoundReply(outcome, State([]));
        });
    }

    public ValueTask Leave(string worker)
    {
        Left.Add(worker);
        return default;
    }

    public ValueTask<FederationStatus> Status() => throw new NotSupportedException();

    protected override ClaimReply OnClaim(PartitionClaim claim) => Model.Offsets.Claim(claim);

    protected override Action Copy()
    {
        var saved = new MemoryStream();
        using (var copy = Model.BeginCopy(increment: false))
        {
            Assert.True(copy.Step());
            saved.Write([.. copy.Finish().SelectMany(b => b.ToArray())]);
        }

        var (offsets, stream) = (Model.Offsets.All, Model.Offsets.Stream);
        return () =>
        {
            Model = new DenseModel(_spec);
            saved.Position = 0;
            Model.Load(saved, AppliedOffsets.Restore(offsets, stream));
        };
    }

    // With the check removed: a report counts whatever its spans say.
    private PushOutcome Add(RoundReport report)
    {
        var outcome = Model.Add(report);
        if (outcome != PushOutcome.Applied)
        {
            Model.Add(report with { Spans = [] });
        }

        return outcome;
    }

    private DenseState State(ReadOnlySpan<float> optimizer) =>
        new(Model.Round, Block.Of(Model.Parameters), Block.Of(Model.Momentum), Block.Of(optimizer));
}

/// <summary>All parts of a model in memory.</summary>
internal sealed class FakeModel
{
    public FakeModel(ModelSpec spec, int seed, bool checksOffsets = true)
    {
        Chaos = new Chaos(seed);
        Shards = [.. Enumerable.Range(0, spec.Shards).Select(s => new FakeShard(spec, Chaos) { Index = s, ChecksOffsets = checksOffsets })];
        Metrics = new FakeMetrics(Chaos) { ChecksOffsets = checksOffsets };
        Federation = new FakeFederation(spec, Chaos) { ChecksOffsets = checksOffsets };
        Parts = new ModelParts([.. Shards], Metrics, Federation);
    }

    public Chaos Chaos { get; }

    public FakeShard[] Shards { get; }

    public FakeMetrics Metrics { get; }

    public FakeFederation Federation { get; }

    public ModelParts Parts { get; }
}
