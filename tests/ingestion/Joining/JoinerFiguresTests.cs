using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>What an operator sees of a joiner: metrics and status.</summary>
public sealed class JoinerFiguresTests : IAsyncLifetime
{
    private const string Lag = "monolith.joiner.lag";
    private const string Delay = "monolith.joiner.watermark.delay";
    private readonly Fixture _f = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _f.DisposeAsync();

    [Fact]
    public void What_is_not_known_has_no_value()
    {
        JoinerView? view = null;
        var lag = -1L;
        using var metrics = new JoinerMetrics(() => view, () => lag, _f.Time);
        using var figures = new Figures(metrics.Meter);
        Assert.DoesNotContain(Lag, figures.Read().Keys);
        Assert.DoesNotContain(Delay, figures.Read().Keys);
        (view, lag) = (new JoinerView(1, 0, 0, 0), 0);
        Assert.Equal(0, figures.Read()[Lag]);
        Assert.DoesNotContain(Delay, figures.Read().Keys);
        view = view with { WatermarkMs = _f.NowMs - 2_500 };
        Assert.Equal(2.5, figures.Read()[Delay]);
        view = view with { WatermarkMs = _f.NowMs + 1 };
        Assert.Equal(0, figures.Read()[Delay]);
    }

    [Fact]
    public async Task The_lag_is_what_is_yet_to_be_read_and_goes_on_being_found_while_the_joiner_stands_still()
    {
        var log = new CountingLog(_f.Log);
        using var joiner = await _f.StartJoinerAsync(log: log);
        using var figures = new Figures(joiner.Meter);
        await Until(() => figures.Read().GetValueOrDefault(Lag, -1) == 0);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        log.Gate = gate.Task;
        await Until(() => log.IsHeld);
        await _f.Log.AppendAsync([.. Enumerable.Range(0, 20).Select(i => _f.Record(Fixture.Impression($"r{i}", _f.NowMs, "a")))], Token);
        await Until(() => figures.Read()[Lag] == 20);
        var delay = figures.Read()[Delay];
        _f.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(delay + 5, figures.Read()[Delay], 3);
        gate.SetResult();
        await Until(() => figures.Read()[Lag] == 0);
        await joiner.StopAsync(Token);
        Assert.DoesNotContain(Lag, figures.Read().Keys);
        Assert.DoesNotContain(Delay, figures.Read().Keys);
    }

    [Fact]
    public void Every_count_has_a_name_of_its_own_by_which_metrics_and_status_say_it()
    {
        var counts = new JoinCounts();
        foreach (var (i, count) in typeof(JoinCounts).GetProperties().Where(p => p.PropertyType == typeof(long)).Index())
        {
            count.SetValue(counts, i + 1);
        }

        var said = counts.Outcomes().Concat(counts.Labels()).ToArray();
        Assert.Equal(said.Length, said.DistinctBy(s => s.Key).Count());
        Assert.Equal(said.Length, said.DistinctBy(s => s.Value).Count());
        // Items and examples are no events; examples have a figure of their own.
        Assert.Equal(typeof(JoinCounts).GetProperties().Count(p => p.PropertyType == typeof(long)) - 2, said.Length);
    }

    /// <summary>Waits for a condition while the clock goes on.</summary>
    private Task Until(Func<bool> condition) => Fixture.UntilAsync(() =>
    {
        _f.Time.Advance(TimeSpan.FromSeconds(1));
        return Task.FromResult(condition());
    });

    /// <summary>The gauges of a meter, as they are now.</summary>
    private sealed class Figures : IDisposable
    {
        private readonly ConcurrentDictionary<string, double> _now = new();
        private readonly MeterListener _listener = new();

        public Figures(Meter meter)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meter && instrument.IsObservable)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => _now[instrument.Name] = value);
            _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => _now[instrument.Name] = value);
            _listener.Start();
        }

        public Dictionary<string, double> Read()
        {
            _now.Clear();
            _listener.RecordObservableInstruments();
            return new Dictionary<string, double>(_now);
        }

        public void Dispose() => _listener.Dispose();
    }
}
