using CsCheck;
using Monolith.Contracts.Specification;
using static Monolith.Features.Tests.TestSpecs;

namespace Monolith.Features.Tests;

public sealed class FeatureExtractorTests
{
    private static readonly CategoricalFeature Filters = Categorical("filters") with { Separator = "|" };
    private static readonly CategoricalFeature Price = Categorical("price") with { Bucketize = new LogBuckets(2) };

    private static ulong Id(string feature, string text) => FeatureId.Of(FeatureId.Salt(feature), text);

    [Fact]
    public void A_categorical_value_is_the_hash_of_its_text_with_its_features_salt()
    {
        var batch = Extract(Of(Categorical("user"), Categorical("item")), ExtractFor.Training, Values(("user", "u1")), Values(("item", 7)));
        Assert.Equal([Id("user", "u1"), Id("item", "7")], batch.AllIds.ToArray());
    }

    [Fact]
    public void Several_values_come_from_a_separator_or_a_list_and_empty_ones_are_none()
    {
        var expected = new[] { Id("filters", "pool"), Id("filters", "wifi") };
        foreach (var value in new object[] { "pool|wifi", "|pool||wifi|", new[] { "pool", "", "wifi" } })
        {
            var batch = Extract(Of(Filters), ExtractFor.Training, [], Values(("filters", value)));
            Assert.Equal(expected, batch.Ids(0, 0).ToArray());
        }
    }

    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(-5.0, "0")]
    [InlineData(1.0, "2")]
    [InlineData(3.0, "4")]
    [InlineData(100.0, "13")]
    public void A_price_becomes_its_logarithmic_bucket(double price, string bucket)
    {
        Assert.Equal(Id("price", bucket), Extract(Of(Price), ExtractFor.Training, [], Values(("price", price))).AllIds[0]);
        Assert.Equal(Id("price", bucket), Extract(Of(Price), ExtractFor.Training, [], Values(("price", $"{price}"))).AllIds[0]);
    }

    [Theory]
    [InlineData(-1, "0")]
    [InlineData(0, "1")]
    [InlineData(9, "1")]
    [InlineData(10, "2")]
    [InlineData(11, "2")]
    public void Boundaries_count_those_that_are_not_above(int value, string bucket)
    {
        var spec = Of(Categorical("x") with { Bucketize = new BoundaryBuckets([0, 10]) });
        Assert.Equal(Id("x", bucket), Extract(spec, ExtractFor.Training, [], Values(("x", value))).AllIds[0]);
    }

    [Fact]
    public void Missing_and_empty_values_are_no_id_and_zero_and_a_cross_with_them_is_none()
    {
        var spec = Of(
            Categorical("a"), Categorical("b"), Filters, new CrossFeature { Name = "ab", Of = ["a", "b"], Table = "main" },
            new NumericFeature { Name = "n", Source = "n", Transforms = [new StandardizeTransform(5, 2)] });
        var batch = Extract(
            spec, ExtractFor.Training, Values(("a", null)), Values(("b", "x"), ("filters", "")), Values(("a", ""), ("b", "x"), ("n", "")));
        Assert.Equal([0, 1, 0, 0], Enumerable.Range(0, 4).Select(f => batch.Ids(0, f).Length));
        Assert.Equal([0, 1, 0, 0], Enumerable.Range(0, 4).Select(f => batch.Ids(1, f).Length));
        Assert.Equal([0f, 0f], batch.AllNumbers.ToArray());
    }

    [Fact]
    public void A_cross_may_come_before_its_components()
    {
        var cross = new CrossFeature { Name = "ab", Of = ["a", "b"], Table = "main" };
        var values = Values(("a", "1"), ("b", "2"));
        var after = Extract(Of(Categorical("a"), Categorical("b"), cross), ExtractFor.Training, [], values).Ids(0, 2)[0];
        var before = Extract(Of(cross, Categorical("a"), Categorical("b")), ExtractFor.Training, [], values).Ids(0, 0)[0];
        Assert.Equal(after, before);
        Assert.Equal(FeatureId.Cross(FeatureId.Cross(FeatureId.Salt("ab"), Id("a", "1")), Id("b", "2")), after);
    }

    [Fact]
    public void Score_as_replaces_a_value_when_scoring_also_inside_crosses()
    {
        var spec = Of(
            Categorical("position") with { ScoreAs = "1" }, Categorical("device"),
            new CrossFeature { Name = "pd", Of = ["position", "device"], Table = "main" },
            new NumericFeature { Name = "depth", Source = "position", ScoreAs = "1" });
        var shared = Values(("device", "phone"));
        var shownThird = Values(("position", 3));
        var first = Extract(spec, ExtractFor.Training, shared, Values(("position", 1)));
        var training = Extract(spec, ExtractFor.Training, shared, shownThird);
        var scoring = Extract(spec, ExtractFor.Scoring, shared, shownThird);
        Assert.Equal(first.AllIds.ToArray(), scoring.AllIds.ToArray());
        Assert.Equal(first.AllNumbers.ToArray(), scoring.AllNumbers.ToArray());
        Assert.NotEqual(first.AllIds.ToArray(), training.AllIds.ToArray());
        Assert.Equal([3f], training.AllNumbers.ToArray());
    }

    [Fact]
    public void Transforms_apply_in_order()
    {
        var feature = new NumericFeature
        {
            Name = "n",
            Source = "n",
            Transforms = [new LogTransform(), new StandardizeTransform(1, 2), new ClipTransform(-0.5, 3)],
        };
        var batch = Extract(Of(Categorical("a"), feature), ExtractFor.Training, [], Values(("n", 100)), Values(("n", -100.0)), Values(("n", "1e9")));
        Assert.Equal([(float)((Math.Log(101) - 1) / 2), -0.5f, 3f], batch.AllNumbers.ToArray());
    }

    [Theory]
    [InlineData(ExtractFor.Training)]
    [InlineData(ExtractFor.Scoring)]
    public void A_number_beyond_the_bound_is_the_bound_in_training_and_serving_and_what_it_was_can_be_seen(ExtractFor purpose)
    {
        var feature = new NumericFeature { Name = "n", Source = "n", Transforms = [new StandardizeTransform(-1e308, 1e-300)] };
        var spec = Of(Categorical("a"), new NumericFeature { Name = "m", Source = "m" }, feature);
        var seen = new List<(int, double)>();
        var extractor = new FeatureExtractor(spec, purpose, (place, number) => seen.Add((place, number)));
        var batch = extractor.CreateBatch();
        extractor.Append(Values(("m", 1e300)), Values(("n", 1e308)), batch);
        extractor.Append(Values(("m", "-1e30")), Values(), batch);
        extractor.Append(Values(("m", -99.5)), Values(), batch);
        Assert.Equal([100f, 100f, -100f, 0f, -99.5f, 0f], batch.AllNumbers.ToArray());
        Assert.Equal([(0, 1e300), (1, double.PositiveInfinity), (0, -1e30), (0, -99.5)], seen);
    }

    [Fact]
    public void An_items_field_wins_over_the_requests_and_a_new_request_is_read_anew()
    {
        var spec = Of(Categorical("a"), new NumericFeature { Name = "n", Source = "n" });
        var extractor = new FeatureExtractor(spec, ExtractFor.Training);
        var batch = extractor.CreateBatch();
        var shared = Values(("a", "shared"), ("n", 1));
        extractor.Append(shared, Values(), batch);
        extractor.Append(shared, Values(("a", "own"), ("n", 2)), batch);
        extractor.Append(shared, Values(), batch);
        extractor.Append(Values(("a", "next"), ("n", 3)), Values(), batch);
        Assert.Equal([Id("a", "shared"), Id("a", "own"), Id("a", "shared"), Id("a", "next")], batch.AllIds.ToArray());
        Assert.Equal([1f, 2f, 1f, 3f], batch.AllNumbers.ToArray());
    }

    [Fact]
    public void A_bad_value_says_feature_value_and_what_is_allowed_and_leaves_the_batch_alone()
    {
        var spec = Of(Categorical("a"), Price, new NumericFeature { Name = "n", Source = "n" });
        var extractor = new FeatureExtractor(spec, ExtractFor.Training);
        var batch = extractor.CreateBatch();
        extractor.Append(Values(("a", "x")), Values(("price", 3)), batch);
        var before = batch.AllIds.ToArray();
        foreach (var (name, value, shown) in new (string, object, string)[]
        {
            ("a", new[] { "x" }, "a list"), ("a", double.NaN, "NaN"), ("price", "cheap", "cheap"), ("price", new[] { "1" }, "a list"),
            ("n", double.PositiveInfinity, "Infinity"), ("n", "1,5", "1,5"),
        })
        {
            var inShared = Assert.Throws<FeatureException>(() => extractor.Append(Values((name, value)), Values(), batch));
            var inItem = Assert.Throws<FeatureException>(() => extractor.Append(Values(), Values((name, value)), batch));
            Assert.Equal(inShared.Message, inItem.Message);
            Assert.Equal((name, shown), (inItem.Feature, inItem.Value));
            Assert.Contains(inItem.Allowed, inItem.Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, batch.Count);
        Assert.Equal(before, batch.AllIds.ToArray());
        extractor.Append(Values(("a", "x")), Values(("price", 3)), batch);
        Assert.Equal([.. before, .. before], batch.AllIds.ToArray());
    }

    [Fact]
    public void Extraction_allocates_nothing_once_the_batch_has_grown()
    {
        var spec = Of(Categorical("a"), Filters, Price, new CrossFeature { Name = "x", Of = ["a", "price"], Table = "other" });
        var extractor = new FeatureExtractor(spec, ExtractFor.Training);
        var batch = extractor.CreateBatch();
        var requests = Enumerable.Range(0, 50).Select(i => Values(("a", $"user{i}"), ("filters", "pool|wifi"))).ToArray();
        var item = Values(("price", 12.5));
        void Round()
        {
            batch.Clear();
            foreach (var request in requests)
            {
                extractor.Append(request, item, batch);
                extractor.Append(request, item, batch);
            }
        }

        Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_requests_batch_has_the_same_examples_and_each_shared_id_once()
    {
        var spec = Of(
            Categorical("user"),
            Filters,
            Categorical("item", "other") with { Separator = "|" },
            Categorical("place") with { ScoreAs = "1" },
            new CrossFeature { Name = "user_item", Of = ["user", "place"], Table = "main" },
            new NumericFeature { Name = "n", Source = "n" });
        string[] names = ["user", "filters", "item", "place"];
        string[] texts = ["", "a", "b|c|a"];
        var fields = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2]).Array[0, 4]
            .Select(list => list.DistinctBy(f => f.Item1).ToDictionary(f => names[f.Item1], f => Value(texts[f.Item2])));
        Gen.Select(fields, fields.Array[0, 5]).Sample((shared, items) =>
        {
            var expected = Extract(spec, ExtractFor.Scoring, shared, items);
            var extractor = new FeatureExtractor(spec, ExtractFor.Scoring);
            var batch = extractor.CreateBatch();
            for (var again = 0; again < 2; again++)
            {
                extractor.BeginRequest(shared, batch);
                foreach (var item in items)
                {
                    extractor.AppendCandidate(item, batch);
                }
            }

            var (ids, of) = (new BatchIds(extractor, 2), extractor.Embedded.Count);
            ids.Build(batch);
            Assert.Equal(items.Length, batch.Count);
            Assert.Equal(expected.AllNumbers.ToArray(), batch.AllNumbers.ToArray());
            for (var cell = 0; cell < items.Length * of; cell++)
            {
                var (e, f) = Math.DivRem(cell, of);
                Assert.Equal(expected.Ids(e, f).ToArray(), batch.Ids(e, f).ToArray());
                Assert.Equal(batch.Ids(e, f).ToArray(), ids.Rows[batch.Range(e, f)].ToArray().Select(r => ids.Ids[r]));
                Assert.All(ids.Rows[batch.Range(e, f)].ToArray(), r => Assert.Contains(
                    r, Enumerable.Range(0, 2).SelectMany(s => Places(ids.Of(s, extractor.TableOf(f)), ids.Count))));
            }

            static IEnumerable<int> Places(Range range, int count)
            {
                var (start, length) = range.GetOffsetAndLength(count);
                return Enumerable.Range(start, length);
            }
        });
    }

    [Fact]
    public void A_request_of_many_shared_values_and_many_candidates_is_a_sum_and_not_a_product()
    {
        var extractor = new FeatureExtractor(Of(Filters, Categorical("item")), ExtractFor.Scoring);
        var batch = extractor.CreateBatch();
        extractor.BeginRequest(Values(("filters", string.Join('|', Enumerable.Range(0, 10_000)))), batch);
        for (var i = 0; i < 1000; i++)
        {
            extractor.AppendCandidate(Values(("item", i)), batch);
        }

        Assert.Equal(11_000, batch.AllIds.Length);
        Assert.Equal(10_000, batch.Ids(999, 0).Length);
    }

    [Fact]
    public void More_values_than_are_allowed_are_refused_before_they_are_read()
    {
        foreach (var many in new object[] { new string('|', 10_000), Enumerable.Repeat("a", 10_001).ToArray() })
        {
            var exception = Assert.Throws<FeatureException>(() => Extract(Of(Filters), ExtractFor.Training, [], Values(("filters", many))));
            Assert.Contains("feature 'filters': '10,001 values' is not allowed; it takes at most 10,000", exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(9007199254740992.0)]
    [InlineData(-1e19)]
    public void A_number_that_no_longer_says_which_integer_was_meant_is_no_id(double number)
    {
        var exception = Assert.Throws<FeatureException>(() => Extract(Of(Categorical("item")), ExtractFor.Training, [], Values(("item", number))));
        Assert.Contains("an integer without fraction and exponent, or a text", exception.Message, StringComparison.Ordinal);
        var asNumber = new NumericFeature { Name = "n", Source = "n", Transforms = [new LogTransform()] };
        Assert.NotEqual(0, Extract(Of(asNumber), ExtractFor.Training, [], Values(("n", number))).AllNumbers[0]);
    }
}
