using System.Diagnostics;
using Monolith.Contracts.Specification;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Hosting;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Replay;

/// <summary>Runs a replay from the options to the files and the printed figures.</summary>
/// <param name="options">What to replay.</param>
/// <param name="output">Receives progress and figures.</param>
/// <param name="warnings">Receives what the user should look at.</param>
/// <param name="time">Clock.</param>
internal sealed class ReplayRunner(ReplayOptions options, TextWriter output, TextWriter warnings, TimeProvider time)
{
    private long _shown;

    /// <summary>Replays. Stopped from outside, it stops cleanly, and the report says so.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    /// <exception cref="Exception">What went wrong; the report then holds what was reached and why it ended.</exception>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        var spec = ModelSpecFile.Load(options.Model);
        spec = spec with { Seed = options.Seed ?? spec.Seed };
        OutputFiles.Check(options);
        foreach (var file in new[] { options.Report, options.Predictions }.OfType<string>())
        {
            AtomicFile.CheckWritable(file);
        }

        var source = new CsvExampleSource(spec, options.Data, options.Workers, options.Limit, warnings.WriteLine);
        using var folder = options.DataFolder is { } path ? DataFolder.Open(path) : DataFolder.Temporary();
        folder.CheckModel(spec);
        ReplayMark.Check(folder, source.Identity, options.Workers);
        using var scores = new ScoreFile(folder.Path, spec.Tasks.Length);
        await using var host = await ReplayHost.StartAsync(spec, source, scores, options.Workers, folder, cancellation);

        var start = time.GetElapsedTime(begun);
        var (status, error) = ("complete", (Exception?)null);
        var work = host.LearnAsync(cancellation);
        await ReplayDisplay.Follow(work, period => Look(host, source, scores, period), output, time);
        try
        {
            await work;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            status = "interrupted";
        }
        catch (Exception e)
        {
            (status, error) = ("failed", e);
        }

        // Neither is cut short by an interrupt: what was learned is saved and reported.
        var rows = await host.RowsAsync();
        await host.SaveAsync();
        var report = ReplayReport.Of(spec, options.Data, scores, status, new ReplayRun(
            options.Data, options.Workers, time.GetElapsedTime(begun), start, rows, PeakRss(), scores.LeftOut, error?.Message));
        if (options.Predictions is { } predictions)
        {
            PredictionsFile.Write(predictions, spec, scores);
        }

        if (options.Report is { } reportFile)
        {
            report.Write(reportFile, spec);
        }

        ReplaySummary.Print(report, spec, output);
        if (error is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
        }

        return status == "complete" ? ExitCodes.Success : ExitCodes.Interrupted;
    }

    private async ValueTask<ReplayView> Look(ReplayHost host, CsvExampleSource source, ScoreFile scores, TimeSpan period)
    {
        var examples = scores.Scores;
        var view = new ReplayView(source.Progress, examples, (examples - _shown) / period.TotalSeconds, await host.AucAsync());
        _shown = examples;
        return view;
    }

    private static long PeakRss()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
