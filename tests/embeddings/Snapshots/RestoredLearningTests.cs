using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;
using Monolith.Embeddings.Tests.Optimizers;

namespace Monolith.Embeddings.Tests.Snapshots;

/// <summary>A table that was saved and restored learns on exactly as one that was not: every value and every bit of state.</summary>
public sealed class RestoredLearningTests
{
    private const int Ids = 600;

    private static readonly LearningRateSchedule[] Schedules =
        [new ConstantRate(), new LinearWarmUp(9), new PolynomialDecay(20, 0.1f, 2), new ExponentialDecay(5, 0.5f), new CosineDecay(15, 0.2f)];

    private static readonly InitializerSpec[] Initializers =
        [new ZerosInitializer(), new ConstantInitializer(0.5f), new UniformInitializer(-1, 1), new TruncatedNormalInitializer(0, 0.5f)];

    private static readonly AdmissionSpec[] Admissions =
        [new AdmitAll(), new AdmitAfter(3) { Remembered = 4096 }, new AdmitByShare(4), new AdmitByChance(3)];

    /// <summary>Every optimizer at every precision; schedules, initializers and admissions take turns so that each meets all precisions.</summary>
    public static TheoryData<TableSpec> All
    {
        get
        {
            var data = new TheoryData<TableSpec>();
            var turn = 0;
            foreach (var optimizer in LaneTwinsTests.EveryOptimizer)
            {
                foreach (var precision in Enum.GetValues<RowPrecision>())
                {
                    data.Add(Spec(optimizer, precision, turn++));
                }
            }

            return data;
        }
    }

    [Fact]
    public void The_cases_leave_no_kind_out()
    {
        var specs = All.Select(row => row.Data).ToArray();
        AssertAll<SparseOptimizerSpec>(specs.SelectMany(s => s.Segments).Select(s => s.Optimizer));
        AssertAll<LearningRateSchedule>(specs.SelectMany(s => s.Segments).Select(s => s.Optimizer.Schedule));
        AssertAll<InitializerSpec>(specs.SelectMany(s => s.Segments).Select(s => s.Initializer));
        foreach (var precision in Enum.GetValues<RowPrecision>())
        {
            AssertAll<AdmissionSpec>(specs.Where(s => s.Precision == precision).Select(s => s.Admission));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void After_a_full_snapshot_learning_goes_on_exactly(TableSpec spec)
    {
        using var table = new EmbeddingTable(spec, seed: 3);
        Learn(table, 0, 12);
        using var again = Restored(table, spec);
        Assert.Equal(Rows(table), Rows(again));
        AssertLearnAlike(table, again);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void After_increments_taken_while_learning_goes_on_it_goes_on_exactly(TableSpec spec)
    {
        using var table = new EmbeddingTable(spec, seed: 3);
        using var again = new EmbeddingTable(spec, seed: 3);
        for (var round = 0; round < 3; round++)
        {
            Learn(table, round * 5, 5);
            table.Delete([Id(round), Id(round + 10)]);
            using var stream = new MemoryStream();
            using (var snapshot = table.BeginSnapshot(round == 0 ? SnapshotKind.Full : SnapshotKind.Incremental, stream))
            {
                snapshot.Complete();
            }

            stream.Position = 0;
            if (round == 0)
            {
                again.Load(stream);
            }
            else
            {
                again.LoadIncrement(stream);
            }

            Assert.Equal(Rows(table), Rows(again));
        }

        again.Validate();
        AssertLearnAlike(table, again);
    }

    private static TableSpec Spec(SparseOptimizerSpec optimizer, RowPrecision precision, int turn)
    {
        var scheduled = optimizer with { Schedule = Schedules[turn % Schedules.Length] };
        var second = new SgdOptimizer { LearningRate = 0.1f, Schedule = Schedules[(turn + 2) % Schedules.Length] };
        return Specs.Table(
            Specs.Segment(optimizer is BatchSoftmaxOptimizer ? 1 : 5, scheduled, Initializers[turn % Initializers.Length]),
            Specs.Segment(2, second, Initializers[(turn + 1) % Initializers.Length])) with
        {
            Precision = precision,
            // Three precisions an optimizer: every fourth case another admission brings each of them to each precision.
            Admission = Admissions[turn % Admissions.Length],
        };
    }

    private static void AssertAll<T>(IEnumerable<T> used)
    {
        var kinds = typeof(T).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(T)) && !t.IsAbstract);
        Assert.Empty(kinds.Except(used.Select(u => u!.GetType())).Select(t => t.Name));
    }

    private static void AssertLearnAlike(EmbeddingTable table, EmbeddingTable again)
    {
        var before = Rows(table);
        Learn(table, 20, 10);
        Learn(again, 20, 10);
        var after = Rows(table);
        Assert.NotEqual(before, after);
        Assert.Equal(after, Rows(again));
    }

    private static EmbeddingTable Restored(EmbeddingTable table, TableSpec spec)
    {
        var stream = new MemoryStream();
        table.Save(stream);
        stream.Position = 0;
        var again = new EmbeddingTable(spec, seed: 3);
        again.Load(stream);
        again.Validate();
        return again;
    }

    private static ulong Id(int i) => (ulong)i * 0x9e3779b97f4a7c15UL;

    /// <summary>The same steps for the same numbers: a batch depends on the step alone.</summary>
    internal static void Learn(EmbeddingTable table, int from, int steps, Func<ulong, bool>? only = null)
    {
        for (var step = from; step < from + steps; step++)
        {
            var random = new Random(step);
            var all = Enumerable.Range(random.Next(Ids / 2), 200).Select(Id)
                .Select(id => (Id: id, Gradient: Enumerable.Range(0, table.Dimension).Select(_ => (random.NextSingle() * 2) - 1).ToArray(), Times: random.Next(1, 4)))
                .Where(p => only is null || only(p.Id)).ToArray();
            table.Update(
                [.. all.Select(p => p.Id)],
                [.. all.SelectMany(p => p.Gradient)],
                [.. all.Select(p => p.Times)],
                [.. all.Select(_ => (uint)(1000 + step))]);
        }
    }

    internal static Dictionary<ulong, string> Rows(EmbeddingTable table)
    {
        var rows = new Dictionary<ulong, string>();
        table.ForEachRow((id, seconds, occurrences, bytes) => rows.Add(id, $"{seconds} {occurrences} {Convert.ToHexString(bytes)}"));
        Assert.NotEmpty(rows);
        return rows;
    }
}
