namespace Monolith.Http;

/// <summary>
/// Limits of all request bodies of a process together. How large a single body may be is the limit of its route.
/// </summary>
public sealed record BodyLimits
{
    /// <summary>
    /// A body up to this size is small: 64 KiB. Its memory is bounded by the number of connections and it never waits for
    /// large ones.
    /// </summary>
    public const int SmallBytes = 64 << 10;

    /// <summary>
    /// Bytes that buffers of bodies above <see cref="SmallBytes"/> may hold at once. A body that would exceed it is answered
    /// 503. Default: 64 MiB.
    /// </summary>
    public long MaxHeldBytes { get; init; } = 64 << 20;

    /// <summary>How long a body may take to arrive; then the answer is 408. Default: 30 s.</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A body above this size is heavy: 256 KiB. Reading it makes objects that are many times as large, so only
    /// <see cref="MaxHeavyAtOnce"/> of them are worked on at once.
    /// </summary>
    public int HeavyBytes { get; init; } = 256 << 10;

    /// <summary>Heavy requests worked on at once; the others wait. Default: 2.</summary>
    public int MaxHeavyAtOnce { get; init; } = 2;

    /// <summary>How long a heavy request waits for its turn; then the answer is 503. Default: 5 s.</summary>
    public TimeSpan MaxHeavyWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>When a client that was answered 503 should try again. Default: 1 s.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);
}
