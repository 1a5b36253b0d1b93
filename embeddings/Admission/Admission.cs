using Monolith.Contracts.Specification;
using Monolith.Embeddings.Initialization;

namespace Monolith.Embeddings.Admission;

/// <summary>Decides how many of an id's occurrences are learned from when the id has no row yet.</summary>
internal abstract class Admission
{
    /// <summary>The counting filter, where there is one.</summary>
    public virtual CountingFilter? Filter => null;

    /// <summary>Decides about a push.</summary>
    /// <param name="id">The id.</param>
    /// <param name="occurrences">Occurrences the push sums.</param>
    /// <param name="random">Bits that are the same when the same push comes again after a restore.</param>
    /// <returns>The last so many occurrences are admitted; 0: the id stays without a row.</returns>
    public abstract int Admit(ulong id, int occurrences, ulong random);

    /// <summary>From the specification; null: everything is admitted.</summary>
    public static Admission? Create(AdmissionSpec spec) => spec switch
    {
        AdmitAll => null,
        AdmitAfter after => new Counting(after),
        AdmitByShare share => new ByShare(share.Threshold),
        AdmitByChance chance => new ByChance(chance.Threshold),
        _ => throw new NotSupportedException($"there is no admission {spec.GetType().Name}"),
    };

    private sealed class Counting(AdmitAfter spec) : Admission
    {
        public override CountingFilter Filter { get; } = new(CountingFilter.CellsFor(spec.Remembered));

        public override int Admit(ulong id, int occurrences, ulong random) =>
            Math.Clamp(Filter.Add(id, occurrences) + occurrences - spec.Threshold, 0, occurrences);
    }

    private sealed class ByShare(int threshold) : Admission
    {
        public override int Admit(ulong id, int occurrences, ulong random) =>
            Mixer.Unit(random) < (float)occurrences / threshold ? occurrences : 0;
    }

    private sealed class ByChance(int threshold) : Admission
    {
        // ln(1 − p), with 1 − p = 0.05^(1/threshold).
        private readonly double _logOfRefusal = Math.Log(0.05) / threshold;

        public override int Admit(ulong id, int occurrences, ulong random)
        {
            // The number of occurrences refused before the first admitted one is geometric.
            var refused = Math.Log(1 - Mixer.Unit(random)) / _logOfRefusal;
            return refused >= occurrences ? 0 : occurrences - (int)refused;
        }
    }
}
