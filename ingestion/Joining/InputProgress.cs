using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>How far one input of a partition has been read.</summary>
internal sealed class InputProgress
{
    /// <summary>Offset of the next record.</summary>
    public long Next { get; set; }

    /// <summary>Newest event time seen, bounded by the log's clock; 0: none yet.</summary>
    public long NewestMs { get; private set; }

    /// <summary>Whether there was nothing more to read.</summary>
    public bool AtEnd { get; set; }

    /// <summary>Whether reading it is suspended, because it is too far ahead of the other input.</summary>
    public bool Paused { get; set; }

    public void Save(CheckpointWriter to)
    {
        to.Value(Next);
        to.Value(NewestMs);
    }

    public void Load(CheckpointReader from) => (Next, NewestMs) = (from.Value<long>(), from.Value<long>());

    public void Saw(long eventTimeMs) => NewestMs = Math.Max(NewestMs, eventTimeMs);
}
