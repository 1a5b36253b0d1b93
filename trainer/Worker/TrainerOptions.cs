namespace Monolith.Trainer.Worker;

/// <summary>How training runs; what is learned is the specification's business.</summary>
public sealed record TrainerOptions
{
    /// <summary>Workers of this process; worker i owns the source's partitions p with p mod Workers = i. 1 to 256.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>
    /// Begins the workers' names, under which the dense part keeps their optimizers; differs between processes of one model.
    /// </summary>
    public string Name { get; init; } = "worker";

    /// <summary>How long a live source is waited for at a time; also the precision of an idle partition's watermark.</summary>
    public TimeSpan ReadWait { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>An idle partition moves the parts' watermarks on this often.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// A part that micro-batches do not touch learns of their progress after so many of them; bounds what recovery repeats.
    /// </summary>
    public int UntouchedBatches { get; init; } = 32;

    /// <summary>Wait before the first new attempt after a failure; doubles with each further one.</summary>
    public TimeSpan RetryWait { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest wait between attempts.</summary>
    public TimeSpan RetryWaitMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A partition that another worker took over is taken back when it has not moved for so long; doubles with each loss in a row,
    /// five times at most.
    /// </summary>
    public TimeSpan RetakeWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Failures in a row after which history is given up, with the last one's exception. Live training never gives up.
    /// </summary>
    public int HistoryFailuresMax { get; init; } = 8;

    /// <summary>A clean stop (last round, last offsets) may take this long; what it does not reach is learned again.</summary>
    public TimeSpan StopWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Refuses values out of range, all at once.</summary>
    /// <exception cref="ArgumentException">What is wrong and what is allowed.</exception>
    internal TrainerOptions Validated()
    {
        List<string> wrong = [];
        void Check(bool holds, string setting, object value, string allowed)
        {
            if (!holds)
            {
                wrong.Add($"{setting} is {value}; allowed is {allowed}");
            }
        }

        Check(Workers is >= 1 and <= 256, nameof(Workers), Workers, "1 to 256");
        Check(!string.IsNullOrWhiteSpace(Name), nameof(Name), $"'{Name}'", "a name");
        Check(ReadWait > TimeSpan.Zero, nameof(ReadWait), ReadWait, "more than 0");
        Check(Heartbeat > TimeSpan.Zero, nameof(Heartbeat), Heartbeat, "more than 0");
        Check(UntouchedBatches >= 1, nameof(UntouchedBatches), UntouchedBatches, "1 or more");
        Check(RetryWait > TimeSpan.Zero, nameof(RetryWait), RetryWait, "more than 0");
        Check(RetryWaitMax >= RetryWait, nameof(RetryWaitMax), RetryWaitMax, $"at least {nameof(RetryWait)}");
        Check(RetakeWait > TimeSpan.Zero, nameof(RetakeWait), RetakeWait, "more than 0");
        Check(HistoryFailuresMax >= 1, nameof(HistoryFailuresMax), HistoryFailuresMax, "1 or more");
        Check(StopWait > TimeSpan.Zero, nameof(StopWait), StopWait, "more than 0");
        return wrong.Count == 0 ? this : throw new ArgumentException($"trainer options: {string.Join("; ", wrong)}");
    }
}
