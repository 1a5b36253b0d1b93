using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;

namespace Monolith.Serving.Replica;

/// <summary>The layout that a replica reads, and the refusal of parameters that have another one: they would be misread.</summary>
/// <param name="spec">The replica's specification.</param>
internal sealed class ReplicaLayout(ModelSpec spec)
{
    private readonly SpecLayout _layout = SpecLayout.Of(spec);

    /// <summary>Refuses a head of another layout, also where there is no snapshot yet that would show the difference.</summary>
    /// <exception cref="InvalidDataException">What to do about it.</exception>
    public void Require(ShardHead head, string part)
    {
        if (head.Layout is { } published && published != _layout.Fingerprint)
        {
            throw new InvalidDataException(
                $"{spec.Name}/{part} is published with layout {published}, but this process reads {_layout.Fingerprint}: the specification "
                + "here has other shards, tables, features, tasks or another seed than the trainer's. Start both with the same one.");
        }
    }

    /// <summary>Refuses a snapshot of another model, part or layout.</summary>
    /// <exception cref="InvalidDataException">The differences, and what to do about them.</exception>
    public void Require(SnapshotHeader header, string part, string path)
    {
        if (header.Model != spec.Name || header.Part != part)
        {
            throw new InvalidDataException($"Snapshot {path} is of {header.Model}/{header.Part}, not of {spec.Name}/{part}.");
        }

        if (!header.Layout.SequenceEqual(_layout.Lines))
        {
            throw new InvalidDataException(
                $"Snapshot {path} was saved under another specification than this process has ("
                + $"{string.Join("; ", _layout.Differences(header.Layout))}). Start both with the same one.");
        }
    }
}
