namespace Monolith.Ingestion.Joining.Checkpoints;

/// <summary>What a checkpoint begins with: whether and where it can be continued from.</summary>
/// <param name="Version">The format's version.</param>
/// <param name="Fingerprint">Of the rules that shaped the state.</param>
/// <param name="Entry">The transaction whose state it is.</param>
/// <param name="JournalOffset">Its offset in the joins topic, or a lower bound of it.</param>
internal readonly record struct CheckpointHead(long Version, UInt128 Fingerprint, JoinEntry Entry, long JournalOffset)
{
    /// <summary>To be raised with any change of what is written, or of a structure that is written as it lies in memory.</summary>
    public const long CurrentVersion = 1;

    /// <exception cref="InvalidDataException">It is of another version or of other rules.</exception>
    public static CheckpointHead Read(CheckpointReader from, JoinRules rules)
    {
        var version = from.Value<long>();
        if (version != CurrentVersion)
        {
            throw new InvalidDataException($"It is of version {version}; this version reads {CurrentVersion}.");
        }

        var head = new CheckpointHead(version, from.Value<UInt128>(), from.Value<JoinEntry>(), from.Value<long>());
        return head.Fingerprint == rules.Fingerprint
            ? head
            : throw new InvalidDataException("The model's tasks, labels or windows, or the number of partitions, were others when it was taken.");
    }

    public void Write(CheckpointWriter to)
    {
        to.Value(Version);
        to.Value(Fingerprint);
        to.Value(Entry);
        to.Value(JournalOffset);
    }
}
