namespace Monolith.Standalone.Demo.Traffic;

/// <summary>What the population has done and seen. Safe for concurrent use.</summary>
public sealed class TrafficCounters
{
    private long _requests;
    private long _shown;
    private long _clicks;
    private long _events;
    private long _errors;
    private long _skipped;

    /// <summary>Lists asked for and shown.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Items shown.</summary>
    public long Shown => Interlocked.Read(ref _shown);

    /// <summary>Clicks.</summary>
    public long Clicks => Interlocked.Read(ref _clicks);

    /// <summary>Events, impressions and actions, that the ingest API has acknowledged.</summary>
    public long Events => Interlocked.Read(ref _events);

    /// <summary>Calls that failed, each try counted.</summary>
    public long Errors => Interlocked.Read(ref _errors);

    /// <summary>Requests not made because as many as allowed were waiting for an answer.</summary>
    public long Skipped => Interlocked.Read(ref _skipped);

    internal void AddRequest(int shown, int clicks)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _shown, shown);
        Interlocked.Add(ref _clicks, clicks);
    }

    internal void AddEvents(int count) => Interlocked.Add(ref _events, count);

    internal void AddError() => Interlocked.Increment(ref _errors);

    internal void AddSkipped() => Interlocked.Increment(ref _skipped);
}
