using CsCheck;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

public sealed class JoinFloorTests
{
    private const long StartMs = 1_700_000_000_000;
    private static readonly JoinRules Rules = new(Fixture.TwoTasks, 1);

    /// <summary>Transactions: how long after the one before it ended each began, how long it took, what it read, how old.</summary>
    private static readonly Gen<(int After, int Moves, int Records, int Age)[]> Transactions =
        Gen.Select(Gen.Int[0, 9_000], Gen.Int[0, 400], Gen.Int[0, 5], Gen.Int[-2_000, 20_000]).Array[1, 40];

    [Fact]
    public void It_passes_a_transaction_only_when_all_that_it_took_is_forgotten_and_knows_how_many_records_came_since()
        => Transactions.Sample(
            transactions =>
            {
                var floor = new JoinFloor(Rules);
                var taken = new List<JoinEntry>();
                var (watermarkMs, offset) = (StartMs, 0L);
                foreach (var (sequence, (after, moves, records, age)) in transactions.Index())
                {
                    var entry = new JoinEntry
                    {
                        Sequence = sequence,
                        ImpressionsFrom = offset,
                        ImpressionsThrough = offset += records,
                        WatermarkBeforeMs = watermarkMs += after,
                        WatermarkMs = watermarkMs += moves,
                        NewestMs = records == 0 ? 0 : watermarkMs - age,
                    };
                    taken.Add(entry);
                    floor.Add(entry, sequence);
                    var first = floor.At(watermarkMs)?.Sequence ?? sequence + 1;
                    Assert.All(taken.Where(t => t.Sequence < first), t => Assert.True(IsForgotten(t.NewestMs, watermarkMs)));
                    Assert.Equal(taken.Where(t => t.Sequence >= first).Sum(t => t.Records), floor.Records);
                    if (first <= sequence)
                    {
                        Assert.Equal((taken[(int)first].ImpressionsFrom, first), (floor.At(watermarkMs)!.Value.ImpressionsFrom, floor.At(watermarkMs)!.Value.JournalOffset));
                    }
                }

                // It does pass them: all of them, once everything is forgotten.
                return floor.At(watermarkMs + (4 * Rules.WindowMs)) is null && floor.Records == 0;
            },
            iter: 2_000);

    [Fact]
    public void It_passes_as_soon_as_the_last_bucket_of_what_was_taken_can_be_forgotten()
    {
        var tight = 0;
        for (var ms = 0; ms < 3 * Rules.BucketMs; ms++)
        {
            var newestMs = StartMs + ms;
            var forgottenMs = (Rules.LastBucket(newestMs) * Rules.BucketMs) + Rules.KeepMs;
            var floor = new JoinFloor(Rules);
            floor.Add(new JoinEntry { ImpressionsThrough = 1, WatermarkBeforeMs = StartMs, NewestMs = newestMs }, 0);
            Assert.NotNull(floor.At(forgottenMs - 1));
            tight += floor.At(forgottenMs + Rules.BucketMs) is null ? 1 : 0;
        }

        Assert.Equal(3 * Rules.BucketMs, tight);
    }

    /// <summary>Whether a request of that time, and an action that waited for one, are gone, and would be refused if they came again.</summary>
    private static bool IsForgotten(long timeMs, long watermarkMs)
        => timeMs == 0 || Rules.LastBucket(timeMs) <= (watermarkMs - Rules.KeepMs) / Rules.BucketMs;
}
