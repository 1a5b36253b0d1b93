using CsCheck;
using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests;

/// <summary>A table behaves as a dictionary of rows does, whatever is done to it.</summary>
public sealed class TableModelTests
{
    private const int Width = 3;
    private const uint Expiry = 400;

    private static readonly TableSpec Spec = Specs.Table(
        Specs.Segment(1, new SgdOptimizer { LearningRate = 1 }),
        Specs.Segment(2, new SgdOptimizer { LearningRate = 0.5f }, new UniformInitializer(-1, 1)))
        with
    { Expiry = TimeSpan.FromSeconds(Expiry) };

    private static readonly Gen<Step> Steps = Gen.OneOf(
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 6000], Gen.Int[1, 1500], Gen.UInt[0, 100])
            .Select((kind, from, count, time) => new Step(kind, from, count, time)),
        Gen.Select(Gen.Int[4, 7], Gen.Int[0, 6000], Gen.Int[1, 5000], Gen.UInt[0, 100])
            .Select((kind, from, count, time) => new Step(kind, from, count, time)));

    [Fact]
    public void A_table_behaves_as_a_dictionary_does() => Steps.Array[1, 40].Sample(Run, iter: 60, threads: 1);

    private static void Run(Step[] steps)
    {
        var table = new EmbeddingTable(Spec, seed: 1);
        using var fresh = new EmbeddingTable(Spec, seed: 1);
        try
        {
            var model = new Model(fresh);
            foreach (var step in steps)
            {
                model.Apply(step, ref table);
                model.Compare(table);
            }

            table.Validate();
        }
        finally
        {
            table.Dispose();
        }
    }

    /// <summary>Ids spread over all 64 bits, both ends included.</summary>
    private static ulong Id(int i) => i switch { 0 => 0, 1 => ulong.MaxValue, _ => (ulong)i * 0x9e3779b97f4a7c15UL };

    private sealed record Step(int Kind, int From, int Count, uint Time);

    private sealed class Model(EmbeddingTable fresh)
    {
        private readonly Dictionary<ulong, (float[] Values, uint Time)> _rows = [];
        private readonly HashSet<ulong> _updated = [];
        private readonly HashSet<ulong> _deleted = [];
        private uint _now = 1000;

        public void Apply(Step step, ref EmbeddingTable table)
        {
            ulong[] ids = [.. Enumerable.Range(step.From, step.Count).Select(Id)];
            switch (step.Kind)
            {
                case <= 3:
                    Update(table, ids, step.Time);
                    break;
                case 4:
                    table.Delete(ids);
                    Array.ForEach(ids, Delete);
                    break;
                case 5:
                    ExpireAll(table);
                    break;
                case 6:
                    Drain(table);
                    break;
                default:
                    table = Restored(table);
                    _updated.Clear();
                    _deleted.Clear();
                    break;
            }
        }

        public void Compare(EmbeddingTable table)
        {
            Assert.Equal(_rows.Count, table.Count);
            ulong[] ids = [.. Enumerable.Range(0, 7600).Select(Id)];
            var values = table.Read(ids);
            for (var i = 0; i < ids.Length; i++)
            {
                var expected = _rows.TryGetValue(ids[i], out var row) ? row.Values : fresh.Read(ids[i]);
                if (!values.AsSpan(i * Width, Width).SequenceEqual(expected))
                {
                    Assert.Fail($"id {ids[i]} reads {string.Join(' ', values[(i * Width)..((i + 1) * Width)])}, not {string.Join(' ', expected)}");
                }
            }
        }

        private void Update(EmbeddingTable table, ulong[] ids, uint ahead)
        {
            _now += ahead;
            var gradients = new float[ids.Length * Width];
            for (var i = 0; i < ids.Length; i++)
            {
                var row = _rows.TryGetValue(ids[i], out var old) ? old : (fresh.Read(ids[i]), 0u);
                for (var d = 0; d < Width; d++)
                {
                    var gradient = gradients[(i * Width) + d] = ((ids[i] % 7) + (ulong)d) / 8f;
                    row.Item1[d] -= (d == 0 ? 1 : 0.5f) * gradient;
                }

                _rows[ids[i]] = (row.Item1, _now);
                _updated.Add(ids[i]);
                _deleted.Remove(ids[i]);
            }

            table.Update(ids, gradients, [.. Enumerable.Repeat(1, ids.Length)], [.. Enumerable.Repeat(_now, ids.Length)]);
        }

        private void Delete(ulong id)
        {
            if (_rows.Remove(id))
            {
                _updated.Remove(id);
                _deleted.Add(id);
            }
        }

        private void ExpireAll(EmbeddingTable table)
        {
            var gone = _rows.Where(r => _now - r.Value.Time >= Expiry).Select(r => r.Key).ToArray();
            Array.ForEach(gone, Delete);
            // Several calls make a sweep, and a row may move past the sweep once.
            var freed = 0;
            for (var call = 0; call < 200; call++)
            {
                freed += table.Expire(300);
            }

            Assert.Equal(gone.Length, freed);
        }

        private void Drain(EmbeddingTable table)
        {
            var changes = new ChangeSet();
            table.DrainChanges(changes);
            Assert.Equal(_updated.Order(), changes.Updated.ToArray().Order());
            Assert.Equal(_deleted.Order(), changes.Deleted.ToArray().Order());
            _updated.Clear();
            _deleted.Clear();
        }

        private static EmbeddingTable Restored(EmbeddingTable table)
        {
            var stream = new MemoryStream();
            table.Save(stream);
            stream.Position = 0;
            table.Dispose();
            var again = new EmbeddingTable(Spec, seed: 1);
            again.Load(stream);
            again.Validate();
            return again;
        }
    }
}
