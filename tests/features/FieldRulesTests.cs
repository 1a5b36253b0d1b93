using CsCheck;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Features.Tests;

/// <summary>What ingest accepts is what training can read.</summary>
public sealed class FieldRulesTests
{
    private static readonly ModelSpec Spec = TestSpecs.Of(
        TestSpecs.Categorical("id"),
        TestSpecs.Categorical("tags") with { Separator = "ab" },
        TestSpecs.Categorical("bucket") with { Bucketize = new LogBuckets(1) },
        new NumericFeature { Name = "number", Source = "number" },
        new NumericFeature { Name = "log", Source = "id2" },
        TestSpecs.Categorical("id2"));

    private static readonly FieldRules Rules = new(Spec);

    private static readonly Gen<FeatureValue> Values = Gen.OneOf(
        OneOf("", " ", "7", "1e3", " 7 ", "+7", "NaN", "Infinity", "-∞", "old", "ab", "xabyabab", "1,5", "٧", "9007199254740993", "1e999")
            .Select(t => new FeatureValue { Text = t }),
        Gen.String.Select(t => t.Replace("\ud800", "").IsNormalizedUtf16() ? t : "broken").Select(t => new FeatureValue { Text = t }),
        Gen.Double.Select(d => new FeatureValue { Number = d }),
        OneOf(double.NaN, double.PositiveInfinity, 9007199254740992, -9007199254740992, 0.5).Select(d => new FeatureValue { Number = d }),
        Gen.Long.Select(i => new FeatureValue { Integer = i }),
        Gen.Int[0, 3].Select(n => new FeatureValue { List = new TextList { Values = { Enumerable.Repeat("x", n) } } }),
        OneOf(10_000, 10_001).Select(n => new FeatureValue { List = new TextList { Values = { Enumerable.Repeat("x", n) } } }),
        OneOf(10_000, 10_001).Select(n => new FeatureValue { Text = string.Concat(Enumerable.Repeat("ab", n - 1)) }),
        Gen.Const(new FeatureValue()));

    [Fact]
    public void A_value_passes_exactly_when_the_extractor_reads_it_and_is_refused_in_the_same_words()
        => Gen.Select(OneOf("id", "tags", "bucket", "number", "id2"), Values).Sample(
            (field, value) =>
            {
                string? expected = null;
                try
                {
                    TestSpecs.Extract(Spec, ExtractFor.Training, [], new Dictionary<string, FeatureValue> { [field] = value });
                }
                catch (FeatureException e)
                {
                    expected = e.Message;
                }

                var found = Rules.Check(System.Text.Encoding.UTF8.GetBytes(field), Raw(value), out _)?.Message;
                if (field == "id2" && expected is not null)
                {
                    // Two features read it: either may be the first to refuse.
                    Assert.NotNull(found);
                    return;
                }

                Assert.Equal(expected, found);
            },
            iter: 20_000);

    [Fact]
    public void A_field_that_no_feature_is_made_of_takes_anything()
        => Assert.Null(Rules.Check("unknown"u8, new FieldValue { Kind = FeatureValue.KindOneofCase.Number, Number = double.NaN }, out _));

    [Fact]
    public void Values_are_counted_for_each_feature_of_the_field()
    {
        Assert.Null(Rules.Check("tags"u8, Raw(new FeatureValue { Text = "xabyabz" }), out var three));
        Assert.Null(Rules.Check("id2"u8, Raw(new FeatureValue { Integer = 7 }), out var two));
        Assert.Null(Rules.Check("unknown"u8, Raw(new FeatureValue { Integer = 7 }), out var none));
        Assert.Equal((3, 2, 0), (three, two, none));
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static FieldValue Raw(FeatureValue value) => new()
    {
        Kind = value.KindCase,
        Text = value.KindCase == FeatureValue.KindOneofCase.Text ? ByteString.CopyFromUtf8(value.Text).Span : default,
        Number = value.Number,
        Count = value.List?.Values.Count ?? 0,
    };
}

/// <summary>Helps to make texts.</summary>
internal static class Utf16
{
    /// <summary>Whether every surrogate of a text has its other half.</summary>
    public static bool IsNormalizedUtf16(this string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))
                {
                    return false;
                }

                i++;
            }
        }

        return true;
    }
}
