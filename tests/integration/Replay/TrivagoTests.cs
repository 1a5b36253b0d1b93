using System.Text.Json.Nodes;
using Monolith.Standalone.CommandLine;

namespace Monolith.Integration.Tests.Replay;

/// <summary>Quality on real impressions, where they are: they may not be redistributed.</summary>
public sealed class TrivagoTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-trivago-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(1, 0.785)]
    [InlineData(2, 0.785)]
    public async Task Progressive_quality_on_hotel_impressions_is_well_above_position_alone(int workers, double auc)
    {
        var root = Root();
        var data = Path.Combine(root, "..", "shared", "data", "trivago", "impressions.csv.gz");
        Assert.SkipUnless(File.Exists(data), $"the trivago impressions are not at {Path.GetFullPath(data)}");

        var report = Path.Combine(_folder.FullName, "report.json");
        using var output = new StringWriter();
        var code = await MonolithCommandLine.RunAsync(
            ["replay", "--model", Path.Combine(root, "models", "trivago.yaml"), "--data", data, "--workers", $"{workers}", "--report", report],
            output, output, TestContext.Current.CancellationToken);
        Assert.True(code == ExitCodes.Success, output.ToString());
        var json = JsonNode.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken))!;
        Assert.Equal(187_515, json["examples"]!.GetValue<long>());
        Assert.Equal(0.7563, json["baseline_auc"]!.GetValue<double>(), 4);
        Assert.InRange(json["auc"]!.GetValue<double>(), auc, 0.83);
        Assert.InRange(json["logloss"]!.GetValue<double>(), 0.14, 0.1505);
        Assert.InRange(json["calibration"]!.GetValue<double>(), 0.97, 1.03);
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Monolith.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("no Monolith.sln above the tests");
        }

        return folder;
    }
}
