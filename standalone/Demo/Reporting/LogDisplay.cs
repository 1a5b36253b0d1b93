using System.Globalization;

namespace Monolith.Standalone.Demo.Reporting;

/// <summary>One line every few seconds, for files and pipes.</summary>
internal sealed class LogDisplay(TextWriter output) : IDemoDisplay
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private TimeSpan _next = TimeSpan.Zero;

    public void Show(DemoView view)
    {
        if (view.Elapsed < _next)
        {
            return;
        }

        _next = view.Elapsed + Interval;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{view.Elapsed:hh\\:mm\\:ss} events/s {view.EventsPerSecond:0} examples/s {view.ExamplesPerSecond:0}"
            + $" auc {DemoView.Number(view.Quality?.ServedWindow?.Auc)} baseline {DemoView.Number(view.Quality?.BaselineWindow?.Auc)}"
            + $" calibration {DemoView.Number(view.Quality?.ServedWindow?.Calibration, "0.00")}"
            + $" fresh p50 {DemoView.Milliseconds(view.FreshnessP50)} p99 {DemoView.Milliseconds(view.FreshnessP99)}"
            + $" rows {view.Rows} lag {view.Lag} errors {view.Errors}{string.Concat(view.LeftOut.Select(e => $" {e.Key} {e.Value}"))}"));
        output.Flush();
    }

    public void Dispose()
    {
        // The writer is the caller's.
    }
}
