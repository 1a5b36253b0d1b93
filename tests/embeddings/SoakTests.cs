using System.Diagnostics;
using System.Globalization;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests;

/// <summary>
/// Several tables, all operations at once, for a while: 5 seconds, or as many as MONOLITH_SOAK_SECONDS says. The operations follow
/// from the seed (MONOLITH_SOAK_SEED); the time only says how many are done.
/// </summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    private static readonly TableSpec[] Specifications =
    [
        Specs.Table(Specs.Segment(3, new AdagradOptimizer(), new UniformInitializer(-1, 1))) with
        {
            Admission = new AdmitAfter(1),
            Expiry = TimeSpan.FromSeconds(40),
            Budget = new BudgetSpec { MaxRows = 60_000 },
            Precision = RowPrecision.BFloat16,
        },
        Specs.Table(Specs.Segment(1, new FtrlOptimizer()), Specs.Segment(16, new SparseAdamOptimizer(), new TruncatedNormalInitializer(0, 1))) with
        {
            Expiry = TimeSpan.FromSeconds(60),
        },
        Specs.Table(Specs.Segment(2, new MomentumOptimizer())) with
        {
            Admission = new AdmitByChance(3),
            Budget = new BudgetSpec { MaxBytes = 8 << 20, Evict = EvictionOrder.LeastFrequentlyUsed },
            Precision = RowPrecision.Float16,
            Unseen = UnseenValue.Zeros,
        },
        Specs.Table(Specs.Segment(5, new GroupAdagradOptimizer { L2 = 0.1f })) with
        {
            Budget = new BudgetSpec { MaxRows = 20_000, Evict = EvictionOrder.SmallestNorm },
        },
    ];

    [Fact]
    public void After_a_long_mixed_life_the_structures_are_whole_and_memory_is_given_back()
    {
        var seconds = Setting("MONOLITH_SOAK_SECONDS", 5);
        var seed = Setting("MONOLITH_SOAK_SEED", 7);
        var lives = Specifications.Select((spec, i) => new SoakedTable(spec, seed + i)).ToArray();
        var watch = Stopwatch.StartNew();
        var rounds = 0;
        for (; rounds < 500 || watch.Elapsed.TotalSeconds < seconds; rounds++)
        {
            Array.ForEach(lives, life => life.Round());
            if (rounds % 250 == 0)
            {
                Array.ForEach(lives, life => life.Check());
            }
        }

        output.WriteLine($"{rounds} rounds in {watch.Elapsed.TotalSeconds:F0} s; " + string.Join("; ", lives.Select(life => life.Summary())));
        foreach (var life in lives)
        {
            life.Check();
            life.End();
            life.Dispose();
        }
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    private sealed class SoakedTable(TableSpec spec, int seed) : IDisposable
    {
        private const ulong Spread = 0x2545f4914f6cdd1d;
        private readonly Random _random = new(seed);
        private readonly EmbeddingTable _replica = new(spec, 1, TableContent.Values);
        private readonly ChangeSet _changes = new();
        private readonly List<byte[]> _chain = [];
        private readonly Dictionary<string, long> _done = [];
        private EmbeddingTable _table = new(spec, seed: 1);
        private (TableSnapshot Snapshot, MemoryStream Stream)? _underWay;
        private int _batch;

        public void Round()
        {
            _batch++;
            // The id space drifts, so rows come, live a while and expire; now and then a burst makes the table grow and shrink.
            var burst = _batch % 400 is > 300 and < 340 ? 8 : 1;
            ulong[] ids = [.. Enumerable.Range(_batch * 100, 700 * burst).Where(_ => _random.Next(3) > 0).Select(i => (ulong)i * Spread)];
            var now = (uint)(1000 + (_batch / 5));
            var gradients = new float[ids.Length * spec.Dimension];
            for (var i = 0; i < gradients.Length; i++)
            {
                gradients[i] = _random.NextSingle() - 0.5f;
            }

            _table.Update(ids, gradients, [.. ids.Select(_ => _random.Next(1, 4))], [.. ids.Select(_ => now - (uint)_random.Next(3))]);
            Count("updated rows", ids.Length);
            _table.Lookup(ids, gradients);
            Assert.True(Array.TrueForAll(gradients, float.IsFinite));
            Count("expired", _table.Expire(1000 * burst));
            _table.Delete(ids.AsSpan(0, _random.Next(30)));
            if (_random.Next(10) == 0)
            {
                _table.Assign(ids.AsSpan(0, 50), gradients.AsSpan(0, 50 * spec.Dimension));
                Count("assigned", 50);
            }

            if (_random.Next(20) == 0)
            {
                Follow();
            }

            Snapshots();
            if (_random.Next(10) == 0)
            {
                Assert.Equal(ids[0], _table.Explain(ids[0]).Id);
            }
        }

        public void Check()
        {
            _table.Validate();
            Follow();
            _replica.Validate();
            Assert.Equal(_table.Count, _replica.Count);
            Assert.True(_table.Count <= (spec.Budget?.MaxRows ?? long.MaxValue));
            var ids = new List<ulong>();
            _table.ForEachRow((id, _, _, _) => ids.Add(id));
            Assert.Equal(_table.Read([.. ids]), _replica.Read([.. ids]));
        }

        /// <summary>All goes, and what is left is the first page of the index.</summary>
        public void End()
        {
            _underWay?.Snapshot.Dispose();
            Assert.InRange(_table.Count, 1000, 200_000);
            var ids = new List<ulong>();
            _table.ForEachRow((id, _, _, _) => ids.Add(id));
            _table.Delete([.. ids]);
            _table.Validate();
            Assert.Equal(0, _table.Count);
            Assert.InRange(_table.Index.Capacity, 1, 2000);
            Assert.InRange(_table.Rows.Bytes, 0, 4 << 20);
        }

        public string Summary() => $"{_table.Count} rows, " + string.Join(", ", _done.Select(d => $"{d.Key} {d.Value}"));

        public void Dispose()
        {
            _table.Dispose();
            _replica.Dispose();
        }

        private void Follow()
        {
            _changes.Clear();
            _table.DrainChanges(_changes);
            _replica.Delete(_changes.Deleted);
            var rows = new byte[_changes.Updated.Length * new ServedRow(spec).Bytes];
            _table.LookupServed(_changes.Updated, rows);
            _replica.AssignServed(_changes.Updated, rows);
            Count("drained", _changes.Updated.Length + _changes.Deleted.Length);
        }

        private void Snapshots()
        {
            if (_underWay is { } current)
            {
                if (current.Snapshot.Step())
                {
                    Complete(current.Snapshot, current.Stream);
                }
            }
            else if (_random.Next(60) == 0)
            {
                var stream = new MemoryStream();
                var kind = _chain.Count % 5 == 0 ? SnapshotKind.Full : SnapshotKind.Incremental;
                _underWay = (_table.BeginSnapshot(kind, stream, new SnapshotOptions { ArenaBytes = 8 << 20 }), stream);
            }
        }

        private void Complete(TableSnapshot snapshot, MemoryStream stream)
        {
            snapshot.Complete();
            snapshot.Dispose();
            _underWay = null;
            if (snapshot.Kind == SnapshotKind.Full)
            {
                _chain.Clear();
            }

            _chain.Add(stream.ToArray());
            Count("snapshots", 1);
            if (_random.Next(4) == 0)
            {
                Restore();
            }
        }

        /// <summary>The table is lost and comes back from its last snapshots; the replica starts from it.</summary>
        private void Restore()
        {
            _table.Dispose();
            _table = new EmbeddingTable(spec, seed: 1);
            _table.Load(new MemoryStream(_chain[0]));
            _chain.Skip(1).ToList().ForEach(increment => _table.LoadIncrement(new MemoryStream(increment)));
            var gone = new List<ulong>();
            _replica.ForEachRow((id, _, _, _) => gone.Add(id));
            _replica.Delete([.. gone]);
            var ids = new List<ulong>();
            _table.ForEachRow((id, _, _, _) => ids.Add(id));
            _replica.Assign([.. ids], _table.Read([.. ids]));
            Count("restores", 1);
        }

        private void Count(string what, long times) => _done[what] = _done.GetValueOrDefault(what) + times;
    }
}
