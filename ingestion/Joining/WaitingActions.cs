using System.Runtime.InteropServices;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>An action that waits for its impression.</summary>
/// <param name="Offset">Its offset in the actions topic.</param>
/// <param name="EventTimeMs">When it happened.</param>
/// <param name="Key">Its record's key.</param>
/// <param name="Bytes">Its bytes, as protobuf.</param>
internal readonly record struct WaitingAction(long Offset, long EventTimeMs, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Bytes);

/// <summary>Actions that came before their impression, by request and by when they are given up.</summary>
internal sealed class WaitingActions
{
    private readonly Dictionary<UInt128, List<WaitingAction>> _byRequest = [];
    private readonly TimeBuckets<List<(UInt128 Request, long Offset)>> _expiry = new();
    private readonly Queue<WaitingAction> _expired = [];

    public int Count { get; private set; }

    public long Oldest => _expiry.Oldest;

    public void Add(UInt128 request, long expiryBucket, WaitingAction action)
    {
        // Its own copy: the record's memory is a slice of a whole batch.
        action = action with { Key = action.Key.ToArray(), Bytes = action.Bytes.ToArray() };
        (_byRequest.TryGetValue(request, out var list) ? list : _byRequest[request] = []).Add(action);
        _expiry[expiryBucket].Add((request, action.Offset));
        Count++;
    }

    /// <summary>Takes the actions of a request whose impression has come; null when there are none.</summary>
    public List<WaitingAction>? Take(UInt128 request)
    {
        if (!_byRequest.Remove(request, out var list))
        {
            return null;
        }

        Count -= list.Count;
        return list;
    }

    /// <summary>Takes one action whose time is over.</summary>
    public bool TryTakeExpired(long throughBucket, out WaitingAction action)
    {
        while (_expired.Count == 0 && _expiry.TryTake(throughBucket, out _, out var expiring))
        {
            foreach (var (request, offset) in expiring)
            {
                Expire(request, offset);
            }
        }

        return _expired.TryDequeue(out action);
    }

    public void Save(CheckpointWriter to)
    {
        to.Value(_byRequest.Count);
        foreach (var (request, actions) in _byRequest)
        {
            to.Value(request);
            to.Value(actions.Count);
            foreach (var action in actions)
            {
                to.Value(action.Offset);
                to.Value(action.EventTimeMs);
                to.Values(action.Key.Span);
                to.Values(action.Bytes.Span);
            }
        }

        _expiry.Save(to, expiring => to.Values<(UInt128, long)>(CollectionsMarshal.AsSpan(expiring)));
    }

    public void Load(CheckpointReader from)
    {
        for (var requests = from.Value<int>(); requests > 0; requests--)
        {
            var actions = _byRequest[from.Value<UInt128>()] = [];
            for (var left = from.Value<int>(); left > 0; left--, Count++)
            {
                actions.Add(new WaitingAction(from.Value<long>(), from.Value<long>(), from.Values<byte>(), from.Values<byte>()));
            }
        }

        _expiry.Load(from, from.List<(UInt128, long)>);
    }

    private void Expire(UInt128 request, long offset)
    {
        if (!_byRequest.TryGetValue(request, out var list))
        {
            return;
        }

        var index = list.FindIndex(a => a.Offset == offset);
        if (index >= 0)
        {
            _expired.Enqueue(list[index]);
            list.RemoveAt(index);
            Count--;
        }

        if (list.Count == 0)
        {
            _byRequest.Remove(request);
        }
    }
}
