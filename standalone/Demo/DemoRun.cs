using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Serving.Api;
using Monolith.Standalone.Demo.Canary;
using Monolith.Standalone.Demo.Reporting;
using Monolith.Standalone.Demo.Traffic;
using Monolith.Standalone.Hosting;

namespace Monolith.Standalone.Demo;

/// <summary>
/// A host, and a population that uses it over HTTP as any application would: scores, impressions, actions, canaries, status.
/// </summary>
internal sealed partial class DemoRun : IDisposable
{
    private static readonly TimeSpan ViewInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(5);
    private readonly DemoOptions _options;
    private readonly ModelSpec _spec;
    private readonly DataFolder _folder;
    private readonly MonolithHost _host;
    private readonly TimeProvider _clock;
    private readonly TrafficCounters _counters = new();
    private readonly DemoState _before;
    private readonly DemoApi _api;
    private readonly HttpClient _status;
    private readonly Arrivals _arrivals;
    private readonly CanaryProber _canaries;
    private readonly Rate _events;
    private readonly Rate _examples;
    private ModelStatus? _lastStatus;

    public DemoRun(DemoOptions options, ModelSpec spec, DataFolder folder, MonolithHost host, TimeProvider clock)
    {
        _options = options;
        _spec = spec;
        _folder = folder;
        _host = host;
        _clock = clock;
        _before = DemoState.Of(folder, options.World);
        _api = new DemoApi(host.Address, _counters, clock, host.Services.GetRequiredService<ILogger<DemoApi>>());
        _status = new HttpClient { BaseAddress = host.Address, Timeout = TimeSpan.FromSeconds(5) };
        _arrivals = new Arrivals(new Visits(options.World, spec.Name, _api, _counters, clock), _counters, options.Rate, clock);
        _canaries = new CanaryProber(spec.Name, _api, clock);
        _events = new Rate(clock);
        _examples = new Rate(clock);
    }

    /// <summary>Lets the population act for as long as was asked, or until stopped.</summary>
    /// <returns>The figures at the end.</returns>
    public async Task<DemoReport> Run(IDemoDisplay display, CancellationToken cancellation)
    {
        var started = _clock.GetTimestamp();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _host.Stopping);
        if (_options.Duration is { } duration)
        {
            stop.CancelAfter(duration);
        }

        var arrivals = _arrivals.Run(_before.Visits, _before.Seconds, stop.Token);
        var canaries = _canaries.Run(stop.Token);
        await Watch(display, started, stop.Token);
        await Task.WhenAll(arrivals, canaries);
        await View(started, CancellationToken.None);
        SaveState();
        return Report(_clock.GetElapsedTime(started), cancellation.IsCancellationRequested);
    }

    public void Dispose()
    {
        _api.Dispose();
        _status.Dispose();
    }

    private async Task Watch(IDemoDisplay display, long started, CancellationToken stop)
    {
        var saved = started;
        using var timer = new PeriodicTimer(ViewInterval, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                display.Show(await View(started, stop));
                if (_clock.GetElapsedTime(saved) >= SaveInterval)
                {
                    saved = _clock.GetTimestamp();
                    SaveState();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over, or somebody pressed Ctrl-C.
        }
    }

    private async Task<DemoView> View(long started, CancellationToken cancellation)
    {
        try
        {
            _lastStatus = await _status.GetFromJsonAsync(
                $"/v1/models/{_spec.Name}/status", StatusJson.Default.ModelStatus, cancellation) ?? _lastStatus;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException
            && !cancellation.IsCancellationRequested)
        {
            // The last status is shown again; failing calls of the population are counted where they happen.
        }

        var period = _options.World.AbruptDriftEvery.TotalSeconds;
        var untilDrift = period - (_arrivals.Seconds % period);
        return new DemoView(
            _clock.GetElapsedTime(started),
            _events.Of(_counters.Events),
            _examples.Of(_lastStatus.Headline()?.Progressive.Examples ?? 0),
            _canaries.Seconds(50),
            _canaries.Seconds(99),
            _counters.Errors + _canaries.Lost,
            TimeSpan.FromSeconds(untilDrift),
            _lastStatus);
    }

    private DemoReport Report(TimeSpan wall, bool interrupted)
    {
        var quality = _lastStatus.Headline();
        return new DemoReport
        {
            Auc = Figures.Finite(quality?.ServedWindow?.Auc),
            BaselineAuc = Figures.Finite(quality?.BaselineWindow?.Auc),
            Logloss = Figures.Finite(quality?.ServedWindow?.LogLoss),
            Calibration = Figures.Finite(quality?.ServedWindow?.Calibration),
            Events = _counters.Events,
            Examples = quality?.Progressive.Examples ?? 0,
            FreshnessP50Seconds = _canaries.Seconds(50),
            FreshnessP99Seconds = _canaries.Seconds(99),
            Errors = _counters.Errors + _canaries.Lost,
            Rows = _lastStatus?.Training?.Rows.Values.Sum() ?? 0,
            PeakRssBytes = DemoReport.PeakRss(),
            Total = DemoTotals.Of(quality),
            Requests = _counters.Requests,
            Skipped = _counters.Skipped,
            Canaries = _canaries.Seen,
            CanariesLost = _canaries.Lost,
            WallSeconds = wall.TotalSeconds,
            WorldSeconds = _arrivals.Seconds,
            Interrupted = interrupted,
            Rate = _options.Rate,
            Users = _options.World.Users,
            Seed = _options.World.Seed,
        };
    }

    private void SaveState() => (_before with { Seconds = _arrivals.Seconds, Visits = _arrivals.Number }).Save(_folder);

    /// <summary>Rate of a counter over about the last ten looks at it.</summary>
    private sealed class Rate(TimeProvider clock)
    {
        private const int Looks = 10;
        private readonly Queue<(long At, long Count)> _looks = new();

        public double Of(long count)
        {
            _looks.Enqueue((clock.GetTimestamp(), count));
            if (_looks.Count > Looks)
            {
                _looks.Dequeue();
            }

            var (at, before) = _looks.Peek();
            var seconds = clock.GetElapsedTime(at).TotalSeconds;
            return seconds > 0.1 ? (count - before) / seconds : 0;
        }
    }
}
