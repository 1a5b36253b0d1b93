using System.Runtime.InteropServices;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>A request the joiner remembers. Checkpoints hold it as it lies in memory.</summary>
internal struct PendingRequest
{
    /// <summary>Hash of the request id.</summary>
    public UInt128 Key;

    /// <summary>When it was shown.</summary>
    public long EventTimeMs;

    /// <summary>Where the impression's bytes are; nowhere once every task has closed.</summary>
    public StoredImpression Impression;

    /// <summary>Items shown.</summary>
    public int Items;

    /// <summary>Whether an action said anything of any of them.</summary>
    public bool HasLabels;

    /// <summary>Stages that have closed: whose tasks' negatives were said.</summary>
    public byte ClosedStages;
}

/// <summary>Requests by key, in slots that are used again.</summary>
internal sealed class PendingRequests
{
    private readonly Dictionary<UInt128, int> _index = [];
    private List<PendingRequest> _slots = [];
    private readonly Stack<int> _free = [];

    public int Count => _index.Count;

    public bool TryGet(UInt128 key, out int slot) => _index.TryGetValue(key, out slot);

    /// <summary>The request in a slot; valid until the next <see cref="Add"/>.</summary>
    public ref PendingRequest this[int slot] => ref CollectionsMarshal.AsSpan(_slots)[slot];

    public int Add(in PendingRequest request)
    {
        if (_free.TryPop(out var slot))
        {
            _slots[slot] = request;
        }
        else
        {
            slot = _slots.Count;
            _slots.Add(request);
        }

        _index.Add(request.Key, slot);
        return slot;
    }

    public void Remove(int slot)
    {
        _index.Remove(_slots[slot].Key);
        _slots[slot] = default;
        _free.Push(slot);
    }

    public void Save(CheckpointWriter to) => to.Values<PendingRequest>(CollectionsMarshal.AsSpan(_slots));

    public void Load(CheckpointReader from)
    {
        _slots = from.List<PendingRequest>();
        _index.EnsureCapacity(_slots.Count);
        for (var slot = 0; slot < _slots.Count; slot++)
        {
            // A request without items is none.
            if (_slots[slot].Items == 0)
            {
                _free.Push(slot);
            }
            else
            {
                _index.Add(_slots[slot].Key, slot);
            }
        }
    }
}
