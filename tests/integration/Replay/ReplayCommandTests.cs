using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Monolith.Contracts.Specification;
using Monolith.Standalone.CommandLine;

namespace Monolith.Integration.Tests.Replay;

/// <summary>The replay command end to end: real file, silo, grains, trainer and files.</summary>
public sealed class ReplayCommandTests : IDisposable
{
    private const int Requests = 400;
    private const int PerRequest = 8;
    private readonly Files _files = new();
    private readonly string _model;

    public ReplayCommandTests() => _model = _files.Write(SpecJson.Of(Files.Spec).ToJsonString(), "model.yaml");

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task No_score_moves_when_labels_of_its_own_or_later_requests_change()
    {
        const int changedFrom = 250 * PerRequest;
        var before = await Predictions(Data(_ => false));
        var changed = await Predictions(Data(row => row >= changedFrom));
        Assert.Equal(Requests * PerRequest, before.Length);

        // The rows of the first changed request were shown at once, so their scores cannot know its labels either.
        Assert.Equal(before[..(changedFrom + PerRequest)].Select(p => p.Score), changed[..(changedFrom + PerRequest)].Select(p => p.Score));

        // And the detector detects: scores after that depend on what was changed.
        Assert.NotEqual(before[(changedFrom + PerRequest)..].Select(p => p.Score), changed[(changedFrom + PerRequest)..].Select(p => p.Score));
    }

    [Fact]
    public async Task Predictions_are_every_row_in_file_order_and_the_same_on_every_run_with_a_seed()
    {
        var data = Data(_ => false);
        var first = await Predictions(data, "--seed", "7");
        Assert.Equal(Enumerable.Range(1, Requests * PerRequest).Select(i => (long)i), first.Select(p => p.Row));
        Assert.Equal(first, await Predictions(data, "--seed", "7"));
        Assert.NotEqual(first, await Predictions(data, "--seed", "8"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_report_has_the_figures_of_the_predictions_and_the_model_learns(int workers)
    {
        var report = Path("report.json");
        var predictions = await Predictions(Data(_ => false), "--report", report, "--workers", $"{workers}");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken))!;
        Assert.Equal(predictions.Length, json["examples"]!.GetValue<long>());
        Assert.Equal(predictions.Count(p => p.Label == "1"), json["positives"]!.GetValue<long>());
        Assert.Equal(predictions.Average(p => p.Label == "1" ? -Math.Log(p.Score) : -Math.Log(1 - p.Score)), json["logloss"]!.GetValue<double>(), 6);
        Assert.Equal(predictions.Length / 5, json["last_20_percent"]!["examples"]!.GetValue<long>());
        Assert.True(json["last_20_percent"]!["auc"]!.GetValue<double>() > 0.75, json.ToJsonString());
        Assert.True(json["rows"]!["main"]!.GetValue<long>() > 20);
        foreach (var key in (string[])["auc", "normalized_entropy", "calibration", "wall_seconds", "examples_per_second", "peak_rss_bytes"])
        {
            Assert.True(json[key]!.GetValue<double>() > 0, key);
        }

        Assert.Equal("complete", json["status"]!.GetValue<string>());
        Assert.Equal("small", json["specification"]!["model"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_data_folder_goes_on_where_the_last_replay_ended_and_learns_nothing_twice()
    {
        var (data, folder) = (Data(_ => false), Path("kept"));
        var first = await Predictions(data, "--data-dir", folder, "--limit", "1600");
        var second = await Predictions(data, "--data-dir", folder);
        Assert.Equal(Enumerable.Range(1, Requests * PerRequest).Select(i => (long)i), first.Concat(second).Select(p => p.Row));
        Assert.Equal(1600, first.Length);
        Assert.Empty(await Predictions(data, "--data-dir", folder));

        // What was learned was kept: the second part begins better than guessing.
        Assert.True(Auc(second[..800]) > 0.7);

        var (code, error) = await Run("--data", data, "--data-dir", folder, "--workers", "2");
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains("--workers 1", error);
    }

    [Fact]
    public async Task A_torn_file_fails_with_its_line_and_the_report_holds_what_was_reached()
    {
        var data = _files.Write(await File.ReadAllTextAsync(Data(_ => false), TestContext.Current.CancellationToken) + "99,u1,s9", "torn.csv");
        var report = Path("torn.json");
        var (code, error) = await Run("--data", data, "--report", report);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains($"line {(Requests * PerRequest) + 2} has 3 of 7 fields", error);
        var json = JsonNode.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken))!;
        Assert.Equal("failed", json["status"]!.GetValue<string>());
        Assert.Contains("3 of 7 fields", json["error"]!.GetValue<string>());
    }

    [Fact]
    public async Task Stopped_from_outside_it_reports_what_was_reached()
    {
        var report = Path("stopped.json");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var output = new StoppingWriter(stop);
        var code = await MonolithCommandLine.RunAsync(
            ["replay", "--model", _model, "--data", Data(_ => false, requests: 100_000), "--report", report], output, output, stop.Token);
        Assert.Equal(ExitCodes.Interrupted, code);
        var json = JsonNode.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken))!;
        Assert.Equal("interrupted", json["status"]!.GetValue<string>());
        Assert.InRange(json["examples"]!.GetValue<long>(), 1, (100_000 * PerRequest) - 1);
    }

    [Theory]
    [InlineData(50)]
    [InlineData(800)]
    public async Task Absurd_numbers_cost_neither_their_neighbours_nor_the_report(int every)
    {
        var lines = await File.ReadAllLinesAsync(Data(_ => false), TestContext.Current.CancellationToken);
        var absurd = lines.Select((line, i) => i == 0 || i % every is not (7 or 12) ? line : string.Join(',', line.Split(',').Select((f, c) => c == 5 ? "1e30" : f)));
        var (model, report) = (_files.Write(Standardized(), "raw.yaml"), Path("absurd.json"));
        var predictions = await Predictions(_files.Write(string.Join('\n', absurd) + '\n', "absurd.csv"), "--report", report, "--model", model);
        Assert.Equal(Requests * PerRequest, predictions.Count(p => double.IsFinite(p.Score)));
        Assert.True(Auc(predictions[1600..]) > 0.7, $"AUC {Auc(predictions[1600..])}");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken))!;
        Assert.Equal((predictions.Length, 0), (json["examples"]!.GetValue<int>(), json["left_out"]!.GetValue<int>()));
        Assert.InRange(json["logloss"]!.GetValue<double>(), 0, 1.5);
    }

    [Fact]
    public async Task Examples_that_are_left_out_are_in_no_figure_and_the_report_says_how_many_they_are()
    {
        // Rows that grow a thousandfold with every step overflow soon.
        var wild = new SegmentSpec { Dimension = 4, Initializer = new ConstantInitializer(1), Optimizer = new SgdOptimizer { LearningRate = 1000 } };
        var spec = Files.Spec with { Tables = [Files.Spec.Tables[0] with { Segments = [Files.Spec.Tables[0].Segments[0], wild] }] };
        var (model, report, file) = (_files.Write(SpecJson.Of(spec).ToJsonString(), "wild.yaml"), Path("wild.json"), Path("wild.csv"));
        var (code, error) = await Run("--data", Data(_ => false), "--model", model, "--report", report, "--predictions", file);
        Assert.Equal((ExitCodes.Success, string.Empty), (code, error));
        var text = await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken);
        var json = JsonNode.Parse(text)!;
        var leftOut = json["left_out"]!.GetValue<int>();
        Assert.InRange(leftOut, 1, Requests * PerRequest);
        Assert.Equal((Requests * PerRequest) - leftOut, json["examples"]!.GetValue<int>());
        Assert.Equal(leftOut, File.ReadLines(file).Count(line => line.EndsWith(',')));
        Assert.DoesNotContain("NaN", text);
    }

    [Theory]
    [InlineData(ExitCodes.Usage, "--workers is '0'; allowed: from 1 to 256", "--workers", "0")]
    [InlineData(ExitCodes.Usage, "'x'", "--workers", "x")]
    [InlineData(ExitCodes.Usage, "--limit is '0'; allowed: 1 or more", "--limit", "0")]
    [InlineData(ExitCodes.Usage, "'1.5'", "--seed", "1.5")]
    [InlineData(ExitCodes.Failure, "/proc/none/r.json cannot be written", "--report", "/proc/none/r.json")]
    [InlineData(ExitCodes.Failure, "is a folder", "--predictions", ".")]
    public async Task Options_that_cannot_be_are_refused_before_anything_is_learned(int expected, string message, params string[] more)
    {
        var (code, error) = await Run(["--data", Data(_ => false, requests: 2), .. more]);
        Assert.Equal(expected, code);
        Assert.Contains(message, error);
    }

    [Theory]
    [InlineData("--report", "DATA", "--data")]
    [InlineData("--predictions", "DATA", "--data")]
    [InlineData("--report", "model.yaml", "--model")]
    [InlineData("--predictions", "sub/../model.yaml", "--model")]
    [InlineData("--predictions", "linked/model.yaml", "--model")]
    [InlineData("--report", "link.yaml", "--model")]
    [InlineData("--predictions", "new.out", "--report", "--report", "linked/new.out")]
    [InlineData("--report", "kept/version", "data folder", "--data-dir", "kept")]
    [InlineData("--report", "linked/kept/small.layout", "data folder", "--data-dir", "kept")]
    public async Task An_output_onto_an_input_is_refused_and_the_input_stays(string option, string output, string named, params string[] more)
    {
        Directory.CreateSymbolicLink(Path("linked"), System.IO.Path.GetDirectoryName(_model)!);
        File.CreateSymbolicLink(Path("link.yaml"), "model.yaml");
        var data = Data(_ => false, requests: 2);
        var before = (await File.ReadAllTextAsync(data, TestContext.Current.CancellationToken), await File.ReadAllTextAsync(_model, TestContext.Current.CancellationToken));
        var (code, error) = await Run(
            ["--data", data, option, output == "DATA" ? data : Path(output), .. more.Select(m => m.StartsWith('-') ? m : Path(m))]);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains(named, error);
        Assert.Contains("choose another name", error);
        Assert.Equal(before, (await File.ReadAllTextAsync(data, TestContext.Current.CancellationToken), await File.ReadAllTextAsync(_model, TestContext.Current.CancellationToken)));
    }

    [Theory]
    [InlineData("NULL")]
    [InlineData("NaN")]
    [InlineData("None")]
    [InlineData("\\N")]
    [InlineData("N/A")]
    public async Task An_id_that_looks_like_a_missing_value_is_warned_of_once(string spelling)
    {
        var rows = string.Concat(Enumerable.Range(0, 20).Select(i => $"{i},{spelling},s{i},i{i % 3},1,1,{i % 2}\n"));
        var (code, error) = await Run("--data", _files.Write(Files.Header + "\n" + rows, "missing.csv"));
        Assert.Equal(ExitCodes.Success, code);
        Assert.Equal(
            $"warning: missing.csv, line 2: '{spelling}' in column 'user' is learned as an id; where it means a missing value, "
            + "list it under source.missing in the specification" + Environment.NewLine,
            error);
    }

    // Clicks depend on the item and fall with the position, so there is something to learn.
    private string Data(Func<int, bool> isFlipped, int requests = Requests)
    {
        var random = new Random(5);
        var csv = new StringBuilder(Files.Header).Append('\n');
        for (var row = 0; row < requests * PerRequest; row++)
        {
            var (request, position) = Math.DivRem(row, PerRequest);
            var item = random.Next(40);
            var click = random.NextDouble() < (item < 10 ? 0.8 : 0.1) / (1 + (0.1 * position));
            csv.Append(CultureInfo.InvariantCulture, $"{1000 + request},u{request % 20},s{request},i{item},{position + 1},{10 + item},{(click ^ isFlipped(row) ? 1 : 0)}\n");
        }

        return _files.Write(csv.ToString(), $"data-{Guid.NewGuid():N}.csv");
    }

    private static string Standardized() => SpecJson.Of(Files.Spec with
    {
        Features = [.. Files.Spec.Features.Select(f => f is NumericFeature n ? n with { Transforms = [new StandardizeTransform(30, 12)] } : f)],
    }).ToJsonString();

    private string Path(string name) => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(_model)!, name);

    private async Task<Prediction[]> Predictions(string data, params string[] more)
    {
        var file = Path($"predictions-{Guid.NewGuid():N}.csv");
        var (code, error) = await Run(["--data", data, "--predictions", file, .. more]);
        Assert.Equal((ExitCodes.Success, string.Empty), (code, error));
        return [.. File.ReadLines(file).Skip(1).Select(line => line.Split(',')).Select(
            f => new Prediction(long.Parse(f[0], CultureInfo.InvariantCulture), f[1], double.Parse(f[2], CultureInfo.InvariantCulture)))];
    }

    private async Task<(int Code, string Error)> Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return (
            await MonolithCommandLine.RunAsync(args.Contains("--model") ? ["replay", .. args] : ["replay", "--model", _model, .. args], output, error, TestContext.Current.CancellationToken),
            error.ToString());
    }

    private static double Auc(Prediction[] predictions) =>
        Standalone.Reports.QualityFigures.Of(predictions.Select(p => ((float)p.Score, p.Label == "1" ? 1f : 0f))).Auc!.Value;

    private sealed record Prediction(long Row, string Label, double Score);

    // Asks for a stop as soon as progress is reported.
    private sealed class StoppingWriter(CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith("replay:", StringComparison.Ordinal) == true)
            {
                stop.Cancel();
            }
        }
    }
}
