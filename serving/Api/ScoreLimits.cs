namespace Monolith.Serving.Api;

/// <summary>
/// Limits of a scoring request, beside the bytes of its body (<see cref="ScoringOptions.MaxBodyBytes"/>), the candidates that
/// the specification allows (<c>serving.max_candidates</c>) and the values of one field
/// (<see cref="Contracts.Events.FeatureLimits.MaxValues"/>). They are checked before the work that they bound, and a request
/// beyond one is answered 400 or 413 with the name of the limit.
/// </summary>
/// <remarks>
/// With them a request takes less than a second of processor time and this much memory: its body, at most twice; the objects
/// read from it, about 100 bytes a value; 60 bytes a value and 8 bytes a cell for ids; its rows, at most
/// <see cref="MaxRowBytes"/>; 4 bytes a candidate and task; and a fixed amount for the network.
/// </remarks>
public static class ScoreLimits
{
    /// <summary>
    /// Values of a request: 500,000. Counted are texts, numbers, booleans and nulls, shared ones once. The ids that come of
    /// them have the same limit.
    /// </summary>
    public const int MaxValues = 500_000;

    /// <summary>Candidates × embedded features: 4,194,304. For each of them the request's vectors are put together.</summary>
    public const int MaxCells = 1 << 22;

    /// <summary>Candidates × weights of the network: 2³¹, which take about half a second of one processor.</summary>
    public const long MaxMultiplications = 1L << 31;

    /// <summary>Bytes of the distinct rows that a request reads: 128 MiB.</summary>
    public const int MaxRowBytes = 128 << 20;

    /// <summary>Bytes of <c>request_id</c> and of an <c>item_id</c>, as UTF-8: 512, as in events.</summary>
    public const int MaxIdBytes = Contracts.Events.EventLimits.MaxIdBytes;
}
