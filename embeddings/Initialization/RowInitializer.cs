using System.IO.Hashing;
using System.Text;
using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Initialization;

/// <summary>
/// The values a row starts from: a pure function of (seed, table name, id, position), so that an id reads the same before
/// and after its row exists, on every shard, worker and replica.
/// </summary>
internal sealed class RowInitializer
{
    private readonly (InitializerSpec Spec, int From, int Length)[] _segments;
    private readonly ulong _seed;

    public RowInitializer(TableSpec table, ulong seed)
    {
        _seed = Mixer.Mix(seed ^ XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(table.Name)));
        _segments = new (InitializerSpec, int, int)[table.Segments.Length];
        var from = 0;
        for (var i = 0; i < _segments.Length; i++)
        {
            _segments[i] = (table.Segments[i].Initializer, from, table.Segments[i].Dimension);
            from += table.Segments[i].Dimension;
        }
    }

    /// <summary>Names the function: equal seeds give equal initial values.</summary>
    public ulong Seed => _seed;

    /// <summary>Writes a row's initial values.</summary>
    /// <param name="id">Any id.</param>
    /// <param name="values">As wide as the row.</param>
    public void Write(ulong id, Span<float> values)
    {
        foreach (var (spec, from, length) in _segments)
        {
            var part = values.Slice(from, length);
            switch (spec)
            {
                case ZerosInitializer:
                    part.Clear();
                    break;
                case ConstantInitializer c:
                    part.Fill(c.Value);
                    break;
                case UniformInitializer u:
                    Uniform(u, Mixer.Mix(_seed ^ Mixer.Mix(id)) + ((ulong)from * Mixer.Golden), part);
                    break;
                case TruncatedNormalInitializer n:
                    Normal(n, Mixer.Mix(_seed ^ Mixer.Mix(id)) + ((ulong)from * Mixer.Golden), part);
                    break;
                default:
                    throw new NotSupportedException($"there is no initializer for {spec.GetType().Name}");
            }
        }
    }

    private static void Normal(TruncatedNormalInitializer spec, ulong state, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            state += Mixer.Golden;
            values[i] = spec.Mean + (spec.Deviation * (float)TruncatedNormal.Quantile(Mixer.Unit(Mixer.Mix(state))));
        }
    }

    private static void Uniform(UniformInitializer spec, ulong state, Span<float> values)
    {
        var range = spec.High - spec.Low;
        for (var i = 0; i < values.Length; i++)
        {
            state += Mixer.Golden;
            // Rounding may reach the excluded bound when the range is small beside the bounds.
            var value = spec.Low + (range * Mixer.Unit(Mixer.Mix(state)));
            values[i] = value < spec.High ? value : spec.Low;
        }
    }
}
