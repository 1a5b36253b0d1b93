using System.Text.Json;
using Monolith.Standalone.Demo.Reporting;

namespace Monolith.Standalone.Tests.Demo.Reporting;

public sealed class DemoReportTests
{
    [Fact]
    public void The_report_has_the_promised_names_and_says_null_where_nothing_is_known()
    {
        var file = Path.Combine(Path.GetTempPath(), $"monolith-report-{Guid.NewGuid():N}.json");
        try
        {
            Report(null).WriteTo(file);
            Report(0.8).WriteTo(file);
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            string[] promised =
            [
                "auc", "baseline_auc", "logloss", "calibration", "events", "examples", "freshness_p50_seconds",
                "freshness_p99_seconds", "errors", "rows", "peak_rss_bytes",
            ];
            Assert.All(promised, name => Assert.True(json.RootElement.TryGetProperty(name, out _), name));
            Assert.Equal(0.8, json.RootElement.GetProperty("auc").GetDouble());
            Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("logloss").ValueKind);
            Assert.True(json.RootElement.GetProperty("peak_rss_bytes").GetInt64() > 1 << 20);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static DemoReport Report(double? auc) => new()
    {
        Auc = auc,
        BaselineAuc = auc,
        Logloss = null,
        Calibration = null,
        Events = 1,
        Examples = 2,
        FreshnessP50Seconds = 0.1,
        FreshnessP99Seconds = 0.2,
        Errors = 0,
        Rows = 3,
        PeakRssBytes = DemoReport.PeakRss(),
        Total = new DemoTotals(auc, auc, auc, null, null),
        Requests = 4,
        Skipped = 0,
        Canaries = 5,
        CanariesLost = 0,
        WallSeconds = 6,
        WorldSeconds = 7,
        Interrupted = false,
        Rate = 8,
        Users = 9,
        Seed = 10,
    };
}
