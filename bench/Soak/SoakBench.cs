using System.Globalization;
using System.Text.Json;

namespace Monolith.Bench.Soak;

/// <summary>
/// Whether a service on its embedded parts keeps its memory: first without traffic, with a network of 2.9 MB; then with 800
/// examples a second whose ids expire after a minute. Fails if resident memory grows faster than <see cref="SlopeMax"/> after
/// the warm-up.
/// </summary>
internal static class SoakBench
{
    public const string Usage = "usage: soak [--idle MINUTES] [--busy MINUTES] [--json FILE]";

    /// <summary>Allowed growth of resident memory after the warm-up, in MiB a minute.</summary>
    public const double SlopeMax = 1;

    private const int DefaultMinutes = 20;
    private static readonly TimeSpan WarmUp = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan SamplePeriod = TimeSpan.FromSeconds(5);
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>Runs both parts, one after the other.</summary>
    /// <returns>0: memory stayed; 1: it grew; 2: the arguments are wrong.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var (idle, busy, json) = (DefaultMinutes, DefaultMinutes, (string?)null);
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var isMinutes = int.TryParse(value, CultureInfo.InvariantCulture, out var minutes)
                && (minutes == 0 || minutes > WarmUp.TotalMinutes) && minutes <= 1440;
            switch (args[i])
            {
                case "--idle" when isMinutes:
                    idle = minutes;
                    break;
                case "--busy" when isMinutes:
                    busy = minutes;
                    break;
                case "--json" when value.Length > 0:
                    json = value;
                    break;
                default:
                    await Console.Error.WriteLineAsync(
                        $"'{args[i]} {value}' is not understood (minutes: 0 leaves a part out, otherwise 6 to 1440)\n{Usage}");
                    return 2;
            }
        }

        if (!OperatingSystem.IsLinux())
        {
            await Console.Error.WriteLineAsync("soak reads resident memory from /proc: it needs Linux");
            return 2;
        }

        var parts = new List<SoakFigures>();
        foreach (var (model, minutes, rate) in new[] { (SoakModel.Idle, idle, 0), (SoakModel.Busy, busy, SoakLoad.ExamplesPerSecond) })
        {
            if (minutes > 0)
            {
                parts.Add(await RunPart(model, TimeSpan.FromMinutes(minutes), rate));
            }
        }

        if (json is not null)
        {
            await File.WriteAllTextAsync(json, JsonSerializer.Serialize(parts, Json));
        }

        return parts.TrueForAll(p => p.SlopeMiBPerMinute < SlopeMax) ? 0 : 1;
    }

    private static async Task<SoakFigures> RunPart(SoakModel model, TimeSpan length, int rate)
    {
        await using var service = await SoakService.StartAsync(model);
        using var stop = new CancellationTokenSource();
        var load = rate > 0 ? new SoakLoad(service.Address).RunAsync(stop.Token) : Task.FromResult(0L);
        var samples = new List<SoakSample>();
        var started = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(SamplePeriod);
        for (var at = TimeSpan.Zero; at < length; at = TimeProvider.System.GetElapsedTime(started))
        {
            samples.Add(new SoakSample(at.TotalMinutes, service.ResidentBytes() / (double)(1 << 20)));
            if (load.IsFaulted || service.HasEnded)
            {
                await load; // says what went wrong
                throw new InvalidOperationException("the service ended during the soak");
            }

            await timer.WaitForNextTickAsync();
        }

        await stop.CancelAsync();
        var figures = new SoakFigures(model.Name, await load, Slope([.. samples.Where(s => s.Minute >= WarmUp.TotalMinutes)]), samples);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{model.Name}: {figures.SlopeMiBPerMinute:0.00} MiB a minute after {WarmUp.TotalMinutes:0} minutes (allowed: less than {SlopeMax}); "
            + $"{samples[0].MiB:0} MiB at the start, {samples[^1].MiB:0} MiB after {length.TotalMinutes:0} minutes; {figures.Examples} examples sent"));
        return figures;
    }

    /// <summary>Least squares, in MiB a minute.</summary>
    private static double Slope(SoakSample[] samples)
    {
        var (minute, memory) = (samples.Average(s => s.Minute), samples.Average(s => s.MiB));
        return samples.Sum(s => (s.Minute - minute) * (s.MiB - memory)) / samples.Sum(s => Math.Pow(s.Minute - minute, 2));
    }
}

/// <summary>Resident memory at a time.</summary>
/// <param name="Minute">Minutes since the start.</param>
/// <param name="MiB">Resident memory.</param>
internal sealed record SoakSample(double Minute, double MiB);

/// <summary>What a part of the soak measured.</summary>
/// <param name="Part">idle or busy.</param>
/// <param name="Examples">Examples sent.</param>
/// <param name="SlopeMiBPerMinute">Growth after the warm-up, by least squares.</param>
/// <param name="Samples">All samples.</param>
internal sealed record SoakFigures(string Part, long Examples, double SlopeMiBPerMinute, IReadOnlyList<SoakSample> Samples);
