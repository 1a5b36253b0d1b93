using Monolith.Contracts.Sync;

namespace Monolith.Silos.Snapshots;

/// <summary>A snapshot was made under a specification that the present one cannot continue.</summary>
public sealed class SnapshotLayoutException : Exception
{
    /// <summary>Creates the exception.</summary>
    public SnapshotLayoutException()
    {
    }

    /// <summary>Creates the exception.</summary>
    public SnapshotLayoutException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    public SnapshotLayoutException(string message, Exception inner)
        : base(message, inner)
    {
    }

    internal static SnapshotLayoutException Between(string path, SnapshotHeader header, IReadOnlyList<string> layout)
    {
        var was = header.Layout.Except(layout).DefaultIfEmpty("(nothing else)");
        var isNow = layout.Except(header.Layout).DefaultIfEmpty("(nothing else)");
        return new SnapshotLayoutException(
            $"Snapshot {path} (model '{header.Model}', part '{header.Part}') was saved under another specification. "
            + $"Saved: {string.Join("; ", was)}. Now: {string.Join("; ", isNow)}. "
            + "Go back to that specification, rename the model, or use another data folder.");
    }
}
