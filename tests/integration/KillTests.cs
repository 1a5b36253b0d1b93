using System.Globalization;
using System.Text.Json.Nodes;
using Monolith.Integration.Tests.Kill;
using Monolith.Silos.Redis;

namespace Monolith.Integration.Tests;

/// <summary>The whole service, killed at random instants while events come in.</summary>
public sealed class KillTests(ITestOutputHelper output) : IDisposable
{
    private const int Users = 6;
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(3);
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"monolith-kill-{Guid.NewGuid():N}");
    private readonly string _model = Path.Combine(Path.GetTempPath(), $"monolith-kill-{Guid.NewGuid():N}.yaml");

    public void Dispose()
    {
        File.Delete(_model);
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Fact]
    public async Task Every_acknowledged_event_counts_exactly_once_in_every_part_through_kill_9() =>
        Assert.Empty(await KillAndAudit(kills: 4, learnedFirst: 0, seed: 1));

    [Fact]
    public async Task The_audit_notices_when_parts_forget_what_they_have_applied() =>
        Assert.NotEmpty(await KillAndAudit(kills: 1, learnedFirst: 1500, seed: 2, "Monolith.Silos.ForgetAppliedOffsets"));

    private async Task<IReadOnlyList<string>> KillAndAudit(int kills, int learnedFirst, int seed, params string[] switches)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(Bound);
        await File.WriteAllTextAsync(_model, KillModel.Yaml, bound.Token);
        var address = $"http://127.0.0.1:{EmbeddedRedis.FreePort().ToString(CultureInfo.InvariantCulture)}";
        using var driver = new EventDriver(new Uri(address));
        MonolithProcess Start() => new(["run", "--model", _model, "--data-dir", _folder, "--urls", address], switches);

        var random = new Random(seed);
        var process = Start();
        try
        {
            using var stop = new CancellationTokenSource();
            var users = Enumerable.Range(0, Users).Select(u => driver.Run(u, stop.Token, bound.Token)).ToArray();
            for (var kill = 0; kill < kills; kill++)
            {
                // From the middle of starting to well into learning: counted in what was taken, not in time.
                var until = driver.Shown + random.Next(0, 2500);
                await Until(() => Task.FromResult(driver.Shown >= until), process, bound.Token);
                await Until(async () => learnedFirst == 0 || await Examples(driver, bound.Token) >= learnedFirst, process, bound.Token);
                await Task.Delay(random.Next(0, 500), bound.Token);
                await process.Kill();
                process.Dispose();
                process = Start();
            }

            var last = driver.Shown + 500;
            await Until(() => Task.FromResult(driver.Shown >= last), process, bound.Token);
            await stop.CancelAsync();
            await Task.WhenAll(users);
            await Until(() => Learned(driver, bound.Token), process, bound.Token);
            output.WriteLine($"{driver.Shown} items shown, {driver.Again} calls made again, {kills} kills");
            Assert.Equal(0, await process.Stop(bound.Token));
        }
        catch (Exception) when (!process.HasExited)
        {
            output.WriteLine(process.Output);
            throw;
        }
        finally
        {
            process.Dispose();
        }

        Assert.NotEmpty(Directory.GetFiles(_folder, "*.increment.snap", SearchOption.AllDirectories));
        var wrong = await Audit.Of(_folder, driver.Shown, bound.Token);
        output.WriteLine(string.Join('\n', wrong));
        return wrong;
    }

    // Windows have closed, and what came out of them was learned.
    private static async Task<bool> Learned(EventDriver driver, CancellationToken cancellation) =>
        (await driver.Status(cancellation))?["training"] is { } training
            && training["lag"]!.AsObject().All(l => (long)l.Value! == 0)
            && Examples(training) >= driver.Shown;

    private static async Task<long> Examples(EventDriver driver, CancellationToken cancellation) =>
        (await driver.Status(cancellation))?["training"] is { } training ? Examples(training) : 0;

    private static long Examples(JsonNode training) => (long)training["tasks"]![0]!["progressive"]!["examples"]!;

    private static async Task Until(Func<Task<bool>> condition, MonolithProcess process, CancellationToken bound)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await condition())
        {
            Assert.False(process.HasExited, process.Output);
            await timer.WaitForNextTickAsync(bound);
        }
    }
}
