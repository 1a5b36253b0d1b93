using Microsoft.Win32.SafeHandles;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>Its checkpoints.</summary>
internal sealed partial class JoinPartition
{
    private JoinEntry? _last;
    private long _lastJournalOffset;
    private long _takenSince;
    private long? _captured;
    private long? _published;

    /// <summary>Records that a restart would take again.</summary>
    public long ToReplay => Math.Min(_takenSince, _floor.Records);

    /// <summary>Whether a restart has fewer records to take again without the checkpoint, so that it is of no use any more.</summary>
    public bool IsOutdated => _published + 1 < _last?.FloorSequence;

    /// <summary>Takes the state of the last transaction, which must be committed and all that was applied.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="journalHigh">The end of the journal.</param>
    /// <returns>Files that the checkpoint needs, to be brought to disk before it is published.</returns>
    public List<SafeFileHandle> Capture(CheckpointWriter to, long journalHigh)
    {
        var entry = _last!.Value;
        new CheckpointHead(CheckpointHead.CurrentVersion, rules.Fingerprint, entry, _lastJournalOffset).Write(to);
        Impressions.Save(to);
        Actions.Save(to);
        _floor.Save(to);
        var files = _joiner.Capture(to, entry.WatermarkMs);

        // Kafka's offsets have gaps, one a transaction: what comes now lies here at least.
        _journalNext = Math.Max(_journalNext, journalHigh);
        (_captured, _takenSince) = (entry.Sequence, 0);
        return files;
    }

    /// <summary>Reads what <see cref="Capture"/> wrote after its head; transactions after that are to be replayed.</summary>
    /// <exception cref="InvalidDataException">A file that the state needs does not hold what was written to it.</exception>
    public void Restore(CheckpointReader from, in CheckpointHead head)
    {
        Impressions.Load(from);
        Actions.Load(from);
        _floor.Load(from);
        _joiner.Restore(from);
        (_last, _lastJournalOffset, _published) = (head.Entry, head.JournalOffset, head.Entry.Sequence);
    }

    /// <summary>What was captured is on disk.</summary>
    public void Published()
    {
        _published = _captured;
        store.Published();
    }

    /// <summary>There is no checkpoint any more.</summary>
    public void Retired()
    {
        _published = null;
        store.Retired();
    }

    private void Remember(in JoinEntry entry, long journalOffset)
    {
        (_last, _lastJournalOffset) = (entry, journalOffset);
        _takenSince += entry.Records;
    }
}
