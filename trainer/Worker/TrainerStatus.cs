namespace Monolith.Trainer.Worker;

/// <summary>How training is going.</summary>
/// <param name="Examples">Examples learned by this process, repeated ones after a recovery included.</param>
/// <param name="MicroBatches">Micro-batches learned.</param>
/// <param name="ExamplesPerSecond">Since the status was last asked for, or since the start.</param>
/// <param name="RefusedExamples">Examples left out: a value that its feature cannot take, or one beyond all measure.</param>
/// <param name="Round">The newest round any worker has.</param>
/// <param name="Lag">
/// Age, by emission time, of the newest example learned while more are waiting; zero when every worker has learned all there is.
/// </param>
/// <param name="Failures">Failures after which a worker went back to where the parts stand.</param>
/// <param name="Workers">Each worker that owns partitions.</param>
public sealed record TrainerStatus(
    long Examples,
    long MicroBatches,
    double ExamplesPerSecond,
    long RefusedExamples,
    long Round,
    TimeSpan Lag,
    long Failures,
    IReadOnlyList<WorkerStatus> Workers)
{
    /// <summary>The newest failure of a worker that has not learned since; null when all is well.</summary>
    public string? LastError => Workers.Select(w => w.LastError).FirstOrDefault(e => e is not null);
}

/// <summary>How one worker is doing.</summary>
/// <param name="Name">The worker.</param>
/// <param name="Examples">Examples learned.</param>
/// <param name="IsCaughtUp">Whether nothing waits to be learned.</param>
/// <param name="LastError">Its newest failure, in words; null once it went on learning.</param>
public sealed record WorkerStatus(string Name, long Examples, bool IsCaughtUp, string? LastError);
