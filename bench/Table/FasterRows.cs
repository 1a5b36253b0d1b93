using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FASTER.core;

namespace Monolith.Bench.Table;

/// <summary>Values and accumulators of 8, 16 or 64 dimensions.</summary>
[InlineArray(16)]
public struct Row8
{
    private float _first;
}

/// <inheritdoc cref="Row8"/>
[InlineArray(32)]
public struct Row16
{
    private float _first;
}

/// <inheritdoc cref="Row8"/>
[InlineArray(128)]
public struct Row64
{
    private float _first;
}

/// <summary>FASTER's key-value store, all of it in memory.</summary>
public sealed unsafe class FasterRows<TRow> : Contender
    where TRow : unmanaged
{
    private readonly FasterKVSettings<ulong, TRow> _settings;
    private readonly FasterKV<ulong, TRow> _store;
    private readonly ClientSession<ulong, TRow, nint, nint, Empty, Functions> _session;
    private readonly int _dimension = sizeof(TRow) / 2 / sizeof(float);

    public FasterRows(Workload workload)
    {
        var bytes = workload.Rows * (sizeof(TRow) + 16L);
        _settings = new FasterKVSettings<ulong, TRow>(null)
        {
            // Half a bucket of 64 bytes for 4 keys, as its documentation advises.
            IndexSize = (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)workload.Rows * 8 * 2),
            MemorySize = (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)(bytes * 5 / 4)),
            PageSize = 1 << 25,
            MutableFraction = 1,
        };
        _store = new FasterKV<ulong, TRow>(_settings);
        _session = _store.For(new Functions(_dimension)).NewSession<Functions>();
    }

    public override string Name => "faster";

    public override void Fill(Workload workload)
    {
        var row = default(TRow);
        new Span<float>(&row, _dimension * 2)[_dimension..].Fill(0.1f);
        for (var i = 0L; i < workload.Rows; i++)
        {
            var id = Workload.IdOf(i);
            _session.Upsert(ref id, ref row);
        }
    }

    public override void Lookup(ReadOnlySpan<ulong> ids, Span<float> values)
    {
        fixed (float* to = values)
        {
            var input = (nint)0;
            for (var i = 0; i < ids.Length; i++)
            {
                var id = ids[i];
                var output = (nint)(to + (i * _dimension));
                _session.Read(ref id, ref input, ref output);
            }
        }
    }

    public override void Update(ReadOnlySpan<ulong> ids, ReadOnlySpan<float> gradients)
    {
        fixed (float* from = gradients)
        {
            for (var i = 0; i < ids.Length; i++)
            {
                var id = ids[i];
                var input = (nint)(from + (i * _dimension));
                _session.RMW(ref id, ref input);
            }
        }
    }

    public override void Dispose()
    {
        _session.Dispose();
        _store.Dispose();
        _settings.Dispose();
        base.Dispose();
    }

    /// <summary>Copies values out, or takes an Adagrad step in place.</summary>
    public sealed class Functions(int dimension) : FunctionsBase<ulong, TRow, nint, nint, Empty>
    {
        private readonly float[] _step = new float[dimension];

        public override bool SingleReader(ref ulong key, ref nint input, ref TRow value, ref nint dst, ref ReadInfo readInfo) => Copy(ref value, dst);

        public override bool ConcurrentReader(ref ulong key, ref nint input, ref TRow value, ref nint dst, ref ReadInfo readInfo) => Copy(ref value, dst);

        public override bool InitialUpdater(ref ulong key, ref nint input, ref TRow value, ref nint output, ref RMWInfo rmwInfo) => true;

        public override bool InPlaceUpdater(ref ulong key, ref nint input, ref TRow value, ref nint output, ref RMWInfo rmwInfo)
        {
            Step(ref value, input);
            return true;
        }

        public override bool CopyUpdater(ref ulong key, ref nint input, ref TRow oldValue, ref TRow newValue, ref nint output, ref RMWInfo rmwInfo)
        {
            newValue = oldValue;
            Step(ref newValue, input);
            return true;
        }

        private bool Copy(ref TRow value, nint to)
        {
            Floats(ref value)[..dimension].CopyTo(new Span<float>((float*)to, dimension));
            return true;
        }

        private void Step(ref TRow value, nint gradient)
        {
            var floats = Floats(ref value);
            Adagrad.Step(floats[..dimension], floats[dimension..], new ReadOnlySpan<float>((float*)gradient, dimension), _step);
        }

        private static Span<float> Floats(ref TRow value) => MemoryMarshal.Cast<TRow, float>(new Span<TRow>(ref value));
    }
}
