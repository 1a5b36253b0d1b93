using System.Globalization;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Events.Embedded;

namespace Monolith.Ingestion.Tests.Joining;

public sealed class JoinerKillTests
{
    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("MONOLITH_KILLS") ?? "6", CultureInfo.InvariantCulture);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_at_any_instant_every_acknowledged_item_becomes_exactly_one_example()
    {
        var folder = Directory.CreateTempSubdirectory("monolith-kill-").FullName;
        var random = new Random(5);
        for (var run = 0; run < Kills; run++)
        {
            using var child = new ChildProcess("joiner-child", folder, $"{run}");
            Assert.True(await child.LineAsync(Token) == "started", child.Errors);
            await Task.Delay(random.Next(50, 900), Token);
            await child.KillAsync(Token);
        }

        using (var last = new ChildProcess("joiner-child", folder, "-1"))
        {
            Assert.True(await last.ExitAsync(Token).WaitAsync(TimeSpan.FromSeconds(60), Token) == 0, last.Errors);
        }

        var labels = await LabelsAsync(folder);
        var repeated = labels.Where(l => l.Value.Count > 1).Select(l => l.Key);
        Assert.Empty(repeated);
        var acknowledged = await File.ReadAllLinesAsync(Path.Combine(folder, "acknowledged"), Token);
        Assert.NotEmpty(acknowledged);
        var missing = acknowledged.Where(r => r.Contains('-', StringComparison.Ordinal)).SelectMany(r => new[] { $"{r}/a", $"{r}/b", $"{r}/c" }).Where(k => !labels.ContainsKey(k));
        Assert.Empty(missing);
        Assert.Contains(labels.Values, l => l[0] == 1);
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<Dictionary<string, List<float>>> LabelsAsync(string folder)
    {
        await using var log = new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = Path.Combine(folder, "log") });
        var labels = new Dictionary<string, List<float>>();
        for (var partition = 0; partition < 2; partition++)
        {
            await using var reader = log.OpenReader(new PartitionOffset(new TopicPartition("shop.examples", partition), 0));
            foreach (var record in (await reader.ReadAsync(10_000_000, TimeSpan.Zero, Token))[0].Records.ToArray())
            {
                var group = ExampleGroup.Parser.ParseFrom(record.Value.Span);
                foreach (var example in group.Examples)
                {
                    var key = $"{group.RequestId}/{example.ItemId}";
                    (labels.TryGetValue(key, out var list) ? list : labels[key] = []).Add(example.Labels[0].Value);
                }
            }
        }

        return labels;
    }
}
