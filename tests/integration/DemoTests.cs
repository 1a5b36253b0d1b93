using Monolith.Contracts.Specification;
using Monolith.Standalone.Demo;
using Monolith.Standalone.Demo.Reporting;
using Monolith.Standalone.Demo.World;
using Monolith.Standalone.Hosting;

namespace Monolith.Integration.Tests;

/// <summary>The demo in this process, over real HTTP: what was learned, and that it is still there the second time.</summary>
[Collection(MeasuringCollection.Name)]
public sealed class DemoTests(ITestOutputHelper output) : IDisposable
{
    // A small world is learned quickly; the drift is left to the command itself.
    private static readonly DemoOptions Small = new()
    {
        Rate = 100,
        World = new WorldOptions
        {
            Users = 100,
            Items = 1000,
            ArrivalsPerSecond = 1,
            AbruptDriftEvery = TimeSpan.FromHours(1),
        },
    };

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"monolith-demo-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_population_is_learned_served_fresh_and_remembered()
    {
        var first = await Run(TimeSpan.FromSeconds(25));
        Assert.Equal(0, first.Errors);
        Assert.Equal(0, first.CanariesLost);
        Assert.True(first.Canaries >= 5, $"{first.Canaries} canaries came back");
        Assert.True(first.Auc > first.BaselineAuc + 0.05, $"served AUC {first.Auc}, baseline {first.BaselineAuc}");
        Assert.InRange(first.Calibration!.Value, 0.5, 2.0);
        Assert.True(first.FreshnessP50Seconds < 2, $"half of all clicks take {first.FreshnessP50Seconds} s to reach the scores");
        Assert.True(first.Rows > 1000);

        var second = await Run(TimeSpan.FromSeconds(5));
        Assert.Equal(0, second.Errors);
        Assert.True(second.WorldSeconds >= first.WorldSeconds + 4, "the world goes on where it was");
        // All that was shown in the first run and has had its window since is learned, once: what the second shows comes on top.
        Assert.True(second.Examples >= first.Requests * Small.World.Shown, $"{second.Examples} examples of {first.Requests} lists");
        Assert.True(second.Examples <= (first.Requests + second.Requests) * Small.World.Shown);
        Assert.True(second.Auc > second.BaselineAuc + 0.05, $"served AUC {second.Auc}, baseline {second.BaselineAuc}");
    }

    private async Task<DemoReport> Run(TimeSpan duration)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var spec = ModelSpecFile.Load(Path.Combine(AppContext.BaseDirectory, "models", "demo.yaml"));
        spec = spec with { Join = spec.Join with { Window = TimeSpan.FromSeconds(2) } };
        using var folder = DataFolder.Open(_folder);
        await using var host = await MonolithHost.StartAsync(new MonolithHostOptions { Spec = spec, Folder = folder }, cancellation);
        using var run = new DemoRun(Small with { Duration = duration }, spec, folder, host, TimeProvider.System);
        using var lines = new StringWriter();
        using var display = new LogDisplay(lines);
        var report = await run.Run(display, cancellation);
        output.WriteLine(lines.ToString());
        await host.StopAsync();
        return report;
    }
}
