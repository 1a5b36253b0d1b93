using System.Globalization;
using System.Text;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Events.Tests.Kafka;

[assembly: AssemblyFixture(typeof(KafkaBroker))]

namespace Monolith.Ingestion.Tests.Joining;

public sealed class JoinerKillTests(KafkaBroker broker)
{
    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("MONOLITH_KILLS") ?? "10", CultureInfo.InvariantCulture);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task Killed_at_any_instant_every_acknowledged_item_has_each_label_exactly_once() => KillAsync(Kills, []);

    [Fact]
    public async Task The_same_on_Apache_Kafka()
        => await KillAsync(Math.Max(5, Kills / 5), [await broker.BootstrapAsync(), $"shop-{Guid.NewGuid():N}"]);

    private static async Task KillAsync(int kills, string[] kafka)
    {
        var folder = Directory.CreateTempSubdirectory("monolith-kill-").FullName;
        var random = new Random(5);
        var continued = 0;
        // On a slow machine children die before they write a checkpoint: the kills go on, later each time, until one was used.
        for (var run = 0; run < kills || (kafka.Length == 0 && continued == 0 && run < 10 * kills); run++)
        {
            using var child = new ChildProcess(["joiner-child", folder, $"{run}", .. kafka]);
            Assert.True(await child.LineAsync(Token) == "started", child.Errors);
            await Task.Delay(random.Next(50, (kafka.Length > 0 ? 9000 : 900) * (1 + (run / kills))), Token);
            await child.KillAsync(Token);
            Continued(child);
        }

        // On Kafka a joiner may be killed before its group has given it anything.
        var state = Path.Combine(folder, "state");
        var any = kafka.Length == 0 || (Directory.Exists(state) && Directory.EnumerateFiles(state, "checkpoint", SearchOption.AllDirectories).Any());
        using (var last = new ChildProcess(["joiner-child", folder, "-1", .. kafka]))
        {
            Assert.True(await last.ExitAsync(Token).WaitAsync(TimeSpan.FromSeconds(60), Token) == 0, last.Errors);
            Continued(last);
        }

        Assert.True(continued > 0 || !any);

        var labels = await LabelsAsync(["", folder, "", .. kafka]);
        Assert.DoesNotContain(labels, l => l.Value.Count > 1);
        var acknowledged = await File.ReadAllLinesAsync(Path.Combine(folder, "acknowledged"), Token);
        Assert.NotEmpty(acknowledged);
        Assert.DoesNotContain(
            from request in acknowledged
            from item in (string[])["a", "b", "c"]
            from task in JoinerChild.Spec.Tasks
            where new NegativeSampling(JoinerChild.Spec, task).Keeps(Encoding.UTF8.GetBytes(request), Encoding.UTF8.GetBytes(item))
            select $"{request}/{item}/{task.Name}",
            k => !labels.ContainsKey(k));
        foreach (var task in JoinerChild.Spec.Tasks)
        {
            Assert.Contains(labels, l => l.Key.EndsWith($"/{task.Name}", StringComparison.Ordinal) && l.Value[0] == 1);
            Assert.Contains(labels, l => l.Key.EndsWith($"/{task.Name}", StringComparison.Ordinal) && l.Value[0] == 0);
        }

        Directory.Delete(folder, recursive: true);

        void Continued(ChildProcess child)
        {
            Assert.False(child.Errors.Contains("is not used", StringComparison.Ordinal), child.Errors);
            continued += child.Errors.Contains("continues from its checkpoint", StringComparison.Ordinal) ? 1 : 0;
        }
    }

    private static async Task<Dictionary<string, List<float>>> LabelsAsync(string[] args)
    {
        await using var log = JoinerChild.Open(args);
        var topics = new ModelTopics(args.Length > 4 ? args[4] : JoinerChild.Spec.Name);
        var labels = new Dictionary<string, List<float>>();
        for (var partition = 0; partition < 2; partition++)
        {
            await using var reader = log.OpenReader(new PartitionOffset(new TopicPartition(topics.Examples, partition), 0));
            for (var atEnd = false; !atEnd;)
            {
                var batch = (await reader.ReadAsync(10_000, TimeSpan.FromSeconds(1), Token))[0];
                atEnd = batch.AtEnd;
                foreach (var record in batch.Records.ToArray())
                {
                    Add(labels, ExampleGroup.Parser.ParseFrom(record.Value.Span));
                }
            }
        }

        return labels;
    }

    private static void Add(Dictionary<string, List<float>> labels, ExampleGroup group)
    {
        foreach (var example in group.Examples)
        {
            foreach (var (task, label) in example.Labels.Index().Where(l => l.Item.Present))
            {
                var key = $"{group.RequestId}/{example.ItemId}/{JoinerChild.Spec.Tasks[task].Name}";
                (labels.TryGetValue(key, out var list) ? list : labels[key] = []).Add(label.Value);
            }
        }
    }
}
