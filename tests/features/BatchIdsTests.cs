using CsCheck;
using Monolith.Contracts.Specification;
using static Monolith.Features.Tests.TestSpecs;

namespace Monolith.Features.Tests;

public sealed class BatchIdsTests
{
    // Features 0 and 2 share a table; feature 1 has its own.
    private static readonly FeatureExtractor Extractor = new(
        Of(Categorical("a"), Categorical("b", "other"), Categorical("c")), ExtractFor.Training);

    private static readonly Gen<FeatureBatch> Batches =
        Gen.ULong[0, 40].Select(x => x < 20 ? x : x << 58).Array[0, 4].Array[3].Array[0, 60].Select(examples =>
        {
            var batch = Extractor.CreateBatch();
            foreach (var example in examples)
            {
                foreach (var ids in example)
                {
                    batch.AddIds(ids);
                    batch.EndFeature();
                }

                batch.EndExample();
            }

            return batch;
        });

    [Fact]
    public void Groups_as_a_dictionary_does_for_any_sequence_of_batches() =>
        Gen.Select(Gen.Int[0, 3], Batches.Array[1, 4]).Sample((log, batches) =>
        {
            var ids = new BatchIds(Extractor, 1 << log);
            foreach (var batch in batches)
            {
                ids.Build(batch);
                Check(batch, ids);
            }
        });

    [Fact]
    public void Building_allocates_nothing_in_the_steady_state()
    {
        var ids = new BatchIds(Extractor, 8);
        var batch = Extractor.CreateBatch();
        for (var i = 0; i < 3000; i++)
        {
            batch.AddId((ulong)i * 77);
            batch.EndFeature();
            if (i % 3 == 2)
            {
                batch.EndExample();
            }
        }

        ids.Build(batch);
        var before = GC.GetAllocatedBytesForCurrentThread();
        ids.Build(batch);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_number_of_shards_that_is_no_power_of_two_is_misuse() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchIds(Extractor, 6));

    private static void Check(FeatureBatch batch, BatchIds ids)
    {
        var expected = new Dictionary<(int Shard, int Table, ulong Id), int>();
        for (var e = 0; e < batch.Count; e++)
        {
            for (var f = 0; f < 3; f++)
            {
                var rows = ids.Rows[batch.Range(e, f)];
                var occurrences = batch.Ids(e, f);
                for (var o = 0; o < occurrences.Length; o++)
                {
                    var (shard, table) = (ShardMap.Of(occurrences[o], ids.Shards), Extractor.TableOf(f));
                    var key = (shard, table, occurrences[o]);
                    expected[key] = expected.GetValueOrDefault(key) + 1;
                    var (start, length) = ids.Of(shard, table).GetOffsetAndLength(ids.Count);
                    Assert.InRange(rows[o], start, start + length - 1);
                    Assert.Equal(occurrences[o], ids.Ids[rows[o]]);
                }
            }
        }

        Assert.Equal(expected.Count, ids.Count);
        Assert.Equal(batch.AllIds.Length, ids.OccurrenceCount);
        for (var shard = 0; shard < ids.Shards; shard++)
        {
            Assert.Equal(ids.Counts(shard).ToArray().Sum(), ids.Ids[ids.Of(shard)].Length);
            Assert.Equal(0, ids.Counts(shard)[2]);
            for (var table = 0; table < ids.Tables; table++)
            {
                var range = ids.Of(shard, table);
                Assert.Equal(ids.Counts(shard)[table], ids.Ids[range].Length);
                foreach (var (id, count) in ids.Ids[range].ToArray().Zip(ids.Occurrences[range].ToArray()))
                {
                    Assert.Equal(expected[(shard, table, id)], count);
                }
            }
        }
    }
}
