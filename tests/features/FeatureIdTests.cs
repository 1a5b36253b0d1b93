using CsCheck;

namespace Monolith.Features.Tests;

public sealed class FeatureIdTests
{
    private static readonly ulong Salt = FeatureId.Salt("item");

    [Fact]
    public void Ids_never_change_between_releases_since_snapshots_hold_them()
    {
        // Computed once; XxHash3 is a fixed function, so a change here means every stored row is lost.
        Assert.Equal(System.IO.Hashing.XxHash3.HashToUInt64("item"u8), Salt);
        Assert.Equal(System.IO.Hashing.XxHash3.HashToUInt64("42"u8, unchecked((long)Salt)), FeatureId.Of(Salt, "42"));
    }

    [Fact]
    public void An_integer_is_the_category_of_its_text() =>
        Gen.Long.Sample(x => FeatureId.Of(Salt, x) == FeatureId.Of(Salt, $"{x}"));

    [Fact]
    public void An_integral_number_is_the_category_of_that_integer() =>
        Gen.Long[-(1L << 53), 1L << 53].Sample(x => FeatureId.Of(Salt, (double)x) == FeatureId.Of(Salt, x));

    [Fact]
    public void Another_number_is_the_category_of_its_shortest_text() =>
        Gen.Double[-1e6, 1e6].Where(x => x != Math.Floor(x)).Sample(x => FeatureId.Of(Salt, x) == FeatureId.Of(Salt, $"{x:R}"));

    [Fact]
    public void A_text_with_a_fraction_of_zeros_is_the_category_of_its_integer() =>
        Gen.Select(Gen.Long, Gen.Int[1, 9])
            .Sample((x, zeros) => FeatureId.Of(Salt, $"{x}.{new string('0', zeros)}") == FeatureId.Of(Salt, x));

    [Theory]
    [InlineData("007.0")]
    [InlineData("007")]
    [InlineData("+7.0")]
    [InlineData("7.")]
    [InlineData("7.00a")]
    [InlineData("1.7.0")]
    [InlineData(".0")]
    [InlineData("-.0")]
    [InlineData("7e0")]
    public void Any_other_text_is_itself(string text) =>
        Assert.Equal(System.IO.Hashing.XxHash3.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(text), unchecked((long)Salt)), FeatureId.Of(Salt, text));

    [Fact]
    public void Negative_zero_as_text_is_zero() => Assert.Equal(FeatureId.Of(Salt, 0L), FeatureId.Of(Salt, "-0.0"));

    [Fact]
    public void Negative_zero_is_zero() => Assert.Equal(FeatureId.Of(Salt, "0"), FeatureId.Of(Salt, -0.0));

    [Fact]
    public void Different_texts_have_different_ids_also_beyond_the_stack_buffer() =>
        Gen.Select(Gen.String[0, 600], Gen.String[0, 600])
            .Sample((a, b) => WellFormed(a) == WellFormed(b) || FeatureId.Of(Salt, a) != FeatureId.Of(Salt, b));

    [Fact]
    public void The_same_text_of_another_feature_has_another_id() =>
        Assert.NotEqual(FeatureId.Of(Salt, "1"), FeatureId.Of(FeatureId.Salt("user"), "1"));

    [Fact]
    public void A_cross_depends_on_the_order_of_its_components() =>
        Gen.Select(Gen.ULong, Gen.ULong, Gen.ULong)
            .Where((_, a, b) => a != b)
            .Sample((s, a, b) => FeatureId.Cross(FeatureId.Cross(s, a), b) != FeatureId.Cross(FeatureId.Cross(s, b), a));

    // UTF-8 has one replacement for every lone surrogate.
    private static string WellFormed(string s) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(s));
}
