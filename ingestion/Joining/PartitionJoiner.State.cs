using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>Its state, written and read as a whole.</summary>
internal sealed partial class PartitionJoiner
{
    /// <summary>Bytes of a checkpoint a request, about: what to make room for.</summary>
    private const int CheckpointBytesARequest = 64;

    /// <summary>Writes the state.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="watermarkMs">The watermark of the last transaction. It may have moved since, but nothing happened by it,
    /// and another joiner that continues from that transaction does not know.</param>
    /// <returns>Files that the state needs, to be brought to disk.</returns>
    public List<SafeFileHandle> Capture(CheckpointWriter to, long watermarkMs)
    {
        store.MakeRoom((long)CheckpointBytesARequest * Requests);
        to.Value(watermarkMs);
        to.Value(PendingItems);
        _requests.Save(to);
        _open.Save(to, slots => to.Values<int>(CollectionsMarshal.AsSpan(slots)));
        _closed.Save(to, slots => to.Values<int>(CollectionsMarshal.AsSpan(slots)));
        _labels.Save(to, labels =>
        {
            to.Value(labels.Count);
            foreach (var (key, state) in labels)
            {
                to.Value(key);
                to.Value(state);
            }
        });
        _waiting.Save(to);
        return store.Capture(to);
    }

    /// <summary>Reads what <see cref="Capture"/> wrote; a new joiner is then where that one was.</summary>
    /// <exception cref="InvalidDataException">A file that the state needs does not hold what was written to it.</exception>
    public void Restore(CheckpointReader from)
    {
        (WatermarkMs, PendingItems) = (from.Value<long>(), from.Value<long>());
        _requests.Load(from);
        _open.Load(from, from.List<int>);
        _closed.Load(from, from.List<int>);
        _labels.Load(from, () =>
        {
            var labels = new Dictionary<ulong, LabelState>();
            for (var left = from.Value<int>(); left > 0; left--)
            {
                labels.Add(from.Value<ulong>(), from.Value<LabelState>());
            }

            return labels;
        });
        _waiting.Load(from);
        store.Restore(from);
    }
}
