using Monolith.Contracts.Grains;
using Monolith.Serving.Api;

namespace Monolith.Standalone.Demo.Reporting;

/// <summary>What the demo shows of itself at one moment.</summary>
/// <param name="Elapsed">Since the population began.</param>
/// <param name="EventsPerSecond">Events acknowledged, over the last moments.</param>
/// <param name="ExamplesPerSecond">Examples learned from, over the last moments.</param>
/// <param name="FreshnessP50">Seconds from click to score; null before the first canary.</param>
/// <param name="FreshnessP99">The same, of the slowest hundredth.</param>
/// <param name="Errors">Calls that failed.</param>
/// <param name="NextDrift">Until half of the segments change their taste.</param>
/// <param name="Status">What the status endpoint says; null while it does not answer.</param>
internal sealed record DemoView(
    TimeSpan Elapsed,
    double EventsPerSecond,
    double ExamplesPerSecond,
    double? FreshnessP50,
    double? FreshnessP99,
    long Errors,
    TimeSpan NextDrift,
    ModelStatus? Status)
{
    public TaskQuality? Quality => Status.Headline();

    public long Rows => Status?.Training?.Rows.Values.Sum() ?? 0;

    public long Lag => Status?.Training?.Lag.Values.Sum() ?? 0;

    /// <summary>Events of which nothing was learned because something is wrong with them, by why; empty when all is well.</summary>
    public IEnumerable<KeyValuePair<string, long>> LeftOut => Status?.Training?.Joiner.Events
        .Where(e => e.Key is "late" or "orphan" or "dead_letter" && e.Value > 0) ?? [];

    public static string Number(double? value, string format = "0.000") =>
        Figures.Finite(value) is { } x ? x.ToString(format) : "–";

    public static string Milliseconds(double? seconds) =>
        Figures.Finite(seconds) is { } x ? FormattableString.Invariant($"{x * 1000:0} ms") : "–";
}

/// <summary>Shows views; one implementation for terminals, one for everything else.</summary>
internal interface IDemoDisplay : IDisposable
{
    /// <summary>Shows a view, about once a second.</summary>
    void Show(DemoView view);
}
