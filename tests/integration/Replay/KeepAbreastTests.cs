using System.Globalization;
using System.Text;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Standalone.Hosting;
using Monolith.Standalone.Replay;
using Monolith.Trainer.Sources;

namespace Monolith.Integration.Tests.Replay;

public sealed class KeepAbreastTests : IDisposable
{
    private const int Rows = 4000;
    private readonly Files _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_worker_with_little_to_do_does_not_run_away_from_one_with_much()
    {
        var spec = Files.Spec with
        {
            Training = new TrainingSpec { MicroBatch = 16 },
            Federated = new FederatedSpec { LocalSteps = 2 },
        };

        // One row in ten belongs to the second partition, which alone would be at the end while the first is at a tenth.
        var users = Enumerable.Range(0, 100).Select(i => $"u{i}").ToLookup(u => Partitioner.Of(u, 2));
        var csv = new StringBuilder(Files.Header).Append('\n');
        for (var row = 0; row < Rows; row++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{row},{users[row % 10 == 0 ? 1 : 0].First()},s{row},i{row % 7},1,{row % 5},{row % 3 / 2}\n");
        }

        var source = new CsvExampleSource(spec, _files.Write(csv.ToString()), 2, null);
        var distance = new Distance();
        using var folder = DataFolder.Temporary();
        await using var host = await ReplayHost.StartAsync(spec, source, distance, 2, folder, TestContext.Current.CancellationToken);
        await host.LearnAsync(TestContext.Current.CancellationToken);

        Assert.Equal(Rows, distance.Seen);

        // Two rounds of an even file (128 rows), what a round of the thin partition covers (320), the batch that follows (160).
        Assert.InRange(distance.Max, 1, 700);
    }

    private sealed class Distance : IScoreSink
    {
        private readonly long[] _at = new long[2];
        private readonly Lock _lock = new();

        public int Seen { get; private set; }

        public long Max { get; private set; }

        public void Scored(int partition, in ExampleRecord record, ReadOnlySpan<float> scores)
        {
            lock (_lock)
            {
                Seen += record.Group.Examples.Count;
                _at[partition] = record.Offset;
                Max = Math.Max(Max, _at[1] - _at[0]);
            }
        }
    }
}
