using Monolith.Events;

namespace Monolith.Ingestion.Api;

/// <summary>
/// Which events were taken lately, so that one sent again is not appended again. Bounded: the oldest half is forgotten when
/// it is full; what comes again after that, or to another process, is absorbed by the joiner.
/// </summary>
/// <param name="capacity">Events remembered at most; at least half as many are.</param>
internal sealed class RecentEvents(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, Task> _underWay = [];

    // Of their full size from the start: growing, they would leave garbage behind for hours.
    private HashSet<UInt128> _recent = new(capacity / 2);
    private HashSet<UInt128> _older = new(capacity / 2);

    /// <summary>Says which of a batch's events are new; they are on their way until the claim ends.</summary>
    public Claim Begin(UInt128[] keys)
    {
        var claim = new Claim(this, keys);
        HashSet<Task>? others = null;
        lock (_lock)
        {
            for (var i = 0; i < keys.Length; i++)
            {
                if (_recent.Contains(keys[i]) || _older.Contains(keys[i]))
                {
                    continue;
                }

                if (_underWay.TryAdd(keys[i], claim.Ended))
                {
                    claim.Fresh.Add(i);
                }
                else if (_underWay[keys[i]] != claim.Ended)
                {
                    (others ??= []).Add(_underWay[keys[i]]);
                }
            }
        }

        if (others is not null)
        {
            claim.Earlier = Task.WhenAll(others);
        }

        return claim;
    }

    private void End(UInt128[] keys, List<int> fresh, bool taken)
    {
        lock (_lock)
        {
            foreach (var i in fresh)
            {
                _underWay.Remove(keys[i]);
                if (taken)
                {
                    _recent.Add(keys[i]);
                }
            }

            if (_recent.Count >= capacity / 2)
            {
                (_older, _recent) = (_recent, _older);
                _recent.Clear();
            }
        }
    }

    /// <summary>A batch on its way into the log. Disposed before it was taken, its events are new again.</summary>
    internal sealed class Claim(RecentEvents owner, UInt128[] keys) : IDisposable
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Indexes of the events that are new, each key once.</summary>
        public List<int> Fresh { get; } = new(keys.Length);

        /// <summary>Ends when those that other batches are bringing are durable, or fails.</summary>
        public Task Earlier { get; set; } = Task.CompletedTask;

        /// <summary>What other batches with the same events wait for.</summary>
        public Task Ended => _ended.Task;

        /// <summary>The log has them.</summary>
        public void Taken()
        {
            owner.End(keys, Fresh, taken: true);
            _ended.SetResult();
        }

        public void Dispose()
        {
            if (!Ended.IsCompleted)
            {
                owner.End(keys, Fresh, taken: false);
                _ended.SetException(new EventLogException("The log did not take an event that came twice at once."));
                _ = Ended.Exception; // seen: perhaps nobody waits
            }
        }
    }
}
