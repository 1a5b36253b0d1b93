using System.Globalization;
using System.Text;
using Spectre.Console;

namespace Monolith.Standalone.Demo.Reporting;

/// <summary>A table that redraws itself in place, for terminals.</summary>
internal sealed class TerminalDisplay : IDemoDisplay
{
    private const int HistoryMax = 60;
    private const string Bars = "▁▂▃▄▅▆▇█";
    private readonly IAnsiConsole _console;
    private readonly string _address;
    private readonly Queue<double> _history = new();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _live;
    private volatile LiveDisplayContext? _context;

    public TerminalDisplay(IAnsiConsole console, string address)
    {
        _console = console;
        _address = address;
        _live = console.Live(new Text("starting…")).AutoClear(false).StartAsync(context =>
        {
            _context = context;
            return _done.Task;
        });
    }

    public void Show(DemoView view)
    {
        if (Figures.Finite(view.Quality?.ServedWindow?.Auc) is { } auc)
        {
            _history.Enqueue(auc);
            if (_history.Count > HistoryMax)
            {
                _history.Dequeue();
            }
        }

        _context?.UpdateTarget(Table(view));
    }

    public void Dispose()
    {
        _done.TrySetResult();
        _live.Wait(TimeSpan.FromSeconds(2));
        _console.WriteLine();
    }

    private Table Table(DemoView view)
    {
        var (served, baseline) = (view.Quality?.ServedWindow, view.Quality?.BaselineWindow);
        var table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumn("").AddColumn("");
        table.Title = new TableTitle($"Monolith demo · {Text($"{view.Elapsed:hh\\:mm\\:ss}")} · {_address}");
        table.AddRow("events/s", Text($"{view.EventsPerSecond:0}"));
        table.AddRow("examples/s", Text($"{view.ExamplesPerSecond:0}"));
        table.AddRow(
            "AUC of served scores",
            $"[bold green]{DemoView.Number(served?.Auc)}[/]  baseline (position) {DemoView.Number(baseline?.Auc)}");
        table.AddRow("", $"[green]{Sparkline()}[/]");
        table.AddRow("calibration", DemoView.Number(served?.Calibration, "0.00"));
        table.AddRow(
            "click to score", $"p50 {DemoView.Milliseconds(view.FreshnessP50)}  p99 {DemoView.Milliseconds(view.FreshnessP99)}");
        table.AddRow("embedding rows", Text($"{view.Rows:n0}"));
        table.AddRow("lag", Text($"{view.Lag:n0} records"));
        table.AddRow("events left out", string.Join("  ", view.LeftOut.Select(e => Text($"{e.Key} {e.Value:n0}")).DefaultIfEmpty("0")));
        table.AddRow("errors", view.Errors == 0 ? "0" : Text($"[red]{view.Errors}[/]"));
        table.AddRow("tastes change in", Text($"{view.NextDrift.TotalSeconds:0} s"));
        return table;
    }

    private string Sparkline()
    {
        if (_history.Count == 0)
        {
            return "";
        }

        var (low, high) = (_history.Min(), Math.Max(_history.Max(), _history.Min() + 0.01));
        var line = new StringBuilder();
        foreach (var auc in _history)
        {
            line.Append(Bars[(int)((auc - low) / (high - low) * (Bars.Length - 1))]);
        }

        return line.ToString();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
