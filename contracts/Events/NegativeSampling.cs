using System.IO.Hashing;
using System.Text;
using Monolith.Contracts.Specification;

namespace Monolith.Contracts.Events;

/// <summary>
/// Which negatives of a task are kept: a seeded hash of (request, item, task) says, so whoever asks, and however often, gets
/// the same answer, and a list is neither kept nor dropped as a whole.
/// </summary>
public sealed class NegativeSampling
{
    private readonly long _seed;
    private readonly ulong _below;

    /// <summary>The sampling of a task of a model.</summary>
    public NegativeSampling(ModelSpec spec, TaskSpec task)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(task);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(task.KeepNegatives);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(task.KeepNegatives, 1);
        _seed = (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(task.Name), (long)spec.Seed);
        KeepRate = (float)task.KeepNegatives;
        _below = KeepRate >= 1 ? ulong.MaxValue : (ulong)(KeepRate * 18446744073709551616.0);
    }

    /// <summary>The share of negatives that is kept; it goes into every label of the task, the positive ones too.</summary>
    public float KeepRate { get; }

    /// <summary>Whether the negative of an item of a request is kept; ids as UTF-8.</summary>
    public bool Keeps(ReadOnlySpan<byte> requestId, ReadOnlySpan<byte> itemId)
        => KeepRate >= 1 || XxHash3.HashToUInt64(itemId, (long)XxHash3.HashToUInt64(requestId, _seed)) < _below;
}
