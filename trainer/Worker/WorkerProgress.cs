namespace Monolith.Trainer.Worker;

/// <summary>What a worker has done so far; written by the worker, read by anyone.</summary>
internal sealed class WorkerProgress
{
    private long _examples;
    private long _batches;
    private long _refused;
    private long _failures;
    private long _round;
    private long _learnedMs;
    private volatile string? _lastError;
    private volatile bool _isCaughtUp;

    public long Examples => Interlocked.Read(ref _examples);

    public long Batches => Interlocked.Read(ref _batches);

    public long Refused => Interlocked.Read(ref _refused);

    public long Failures => Interlocked.Read(ref _failures);

    public long Round => Interlocked.Read(ref _round);

    /// <summary>Emission time of the newest example that every shard has.</summary>
    public long LearnedMs => Interlocked.Read(ref _learnedMs);

    /// <summary>Whether nothing waits to be learned.</summary>
    public bool IsCaughtUp
    {
        get => _isCaughtUp;
        set => _isCaughtUp = value;
    }

    /// <summary>The newest failure, in words; null once learning went on after it.</summary>
    public string? LastError => _lastError;

    public void Learned(int examples, long round, long learnedMs)
    {
        Interlocked.Add(ref _examples, examples);
        Interlocked.Increment(ref _batches);
        Interlocked.Exchange(ref _round, round);
        Interlocked.Exchange(ref _learnedMs, Math.Max(learnedMs, LearnedMs));
        _lastError = null;
    }

    public long Refuse(int examples) => Interlocked.Add(ref _refused, examples);

    public void Failed(string error)
    {
        Interlocked.Increment(ref _failures);
        _lastError = error;
    }
}
