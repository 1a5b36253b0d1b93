using System.Text.Json;

namespace Monolith.Bench.Events;

/// <summary>What was measured on one log.</summary>
internal sealed record JoinFigures(
    double EventsPerSecond,
    double ExamplesPerSecond,
    double LoadEventsPerSecond,
    double ActionToExampleP50Ms,
    double ActionToExampleP99Ms,
    long PeakRssBytes)
{
    public static JsonSerializerOptions Json { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public override string ToString()
        => $"{EventsPerSecond:N0} events/s, {ExamplesPerSecond:N0} examples/s; at {LoadEventsPerSecond:N0} events/s action to example "
            + $"p50 {ActionToExampleP50Ms:N1} ms, p99 {ActionToExampleP99Ms:N1} ms; peak {PeakRssBytes >> 20} MiB";
}
