using System.Globalization;
using Spectre.Console;

namespace Monolith.Standalone.Replay;

/// <summary>Where a replay stands.</summary>
/// <param name="Share">Of the file that has been read, 0 to 1.</param>
/// <param name="Examples">Scored so far.</param>
/// <param name="PerSecond">Examples a second over the last moments.</param>
/// <param name="Auc">Progressive AUC so far; null while one class is missing.</param>
internal readonly record struct ReplayView(double Share, long Examples, double PerSecond, double? Auc)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Examples:N0} examples, {PerSecond:N0}/s, AUC {(Auc is { } auc ? auc.ToString("0.0000", CultureInfo.InvariantCulture) : "-")}");
}

/// <summary>Shows how a replay goes on: a progress bar on a terminal, a line every few seconds elsewhere.</summary>
internal static class ReplayDisplay
{
    private static readonly TimeSpan BarPeriod = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LinePeriod = TimeSpan.FromSeconds(5);

    /// <summary>Shows the state until the work has ended, however it ends; the work's failure is the caller's.</summary>
    public static async Task Follow(Task work, Func<TimeSpan, ValueTask<ReplayView>> look, TextWriter output, TimeProvider time)
    {
        if (output != Console.Out || Console.IsOutputRedirected)
        {
            await Each(LinePeriod, view => output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"replay: {view.Share,4:0%} of the file, {view}")));
            return;
        }

        await AnsiConsole.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask("starting", maxValue: 1);
                await Each(BarPeriod, view =>
                {
                    bar.Value = view.Share;
                    bar.Description = view.ToString();
                });
            });

        async Task Each(TimeSpan period, Action<ReplayView> show)
        {
            using var timer = new PeriodicTimer(period, time);
            while (await Task.WhenAny(work, timer.WaitForNextTickAsync().AsTask()) != work)
            {
                show(await look(period));
            }
        }
    }
}
