using System.Text.Json;
using Monolith.Contracts.Events;

namespace Monolith.Contracts.Tests.Events;

public sealed class FeatureValueConverterTests
{
    private static readonly JsonSerializerOptions Options = new() { Converters = { new FeatureValueConverter() } };

    [Theory]
    [InlineData("\"blue\"", FeatureValue.KindOneofCase.Text)]
    [InlineData("-7", FeatureValue.KindOneofCase.Integer)]
    [InlineData("2.5", FeatureValue.KindOneofCase.Number)]
    [InlineData("[\"a\",\"2\"]", FeatureValue.KindOneofCase.List)]
    [InlineData("null", FeatureValue.KindOneofCase.None)]
    public void A_value_reads_as_its_kind_and_writes_as_it_was(string json, FeatureValue.KindOneofCase kind)
    {
        var value = JsonSerializer.Deserialize<FeatureValue>(json, Options)!;
        Assert.Equal(kind, value.KindCase);
        Assert.Equal(json, JsonSerializer.Serialize(value, Options));
    }

    [Fact]
    public void Numbers_in_a_list_are_their_shortest_text()
    {
        var value = JsonSerializer.Deserialize<FeatureValue>("[1, 2.50]", Options)!;
        Assert.Equal(["1", "2.5"], value.List.Values);
    }

    [Theory]
    [InlineData("true", "a boolean")]
    [InlineData("{\"text\":\"a\"}", "an object")]
    [InlineData("[[1]]", "an array inside an array")]
    [InlineData("[null]", "null inside an array")]
    [InlineData("1e999", "out of range")]
    public void Anything_else_is_refused_with_what_is_allowed(string json, string says)
    {
        var exception = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<FeatureValue>(json, Options));
        Assert.Contains(says, exception.Message, StringComparison.Ordinal);
        Assert.Contains("text", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("9223372036854775808", "9223372036854775808")]
    [InlineData("9223372036854775809", "9223372036854775809")]
    [InlineData("18446744073709551615", "18446744073709551615")]
    [InlineData("-9223372036854775809", "-9223372036854775809")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("-0", "0")]
    [InlineData("7.0", "7")]
    [InlineData("9007199254740991.0", "9007199254740991")]
    public void An_integer_keeps_its_digits_alone_and_in_a_list(string json, string text)
    {
        var list = JsonSerializer.Deserialize<FeatureValue>($"[{json}]", Options)!;
        Assert.Equal([text], list.List.Values);
        var alone = JsonSerializer.Deserialize<FeatureValue>(json, Options)!;
        Assert.Equal(text, alone.KindCase switch
        {
            FeatureValue.KindOneofCase.Integer => $"{alone.Integer}",
            FeatureValue.KindOneofCase.Number => $"{alone.Number}",
            _ => alone.Text,
        });
    }

    [Theory]
    [InlineData("[9007199254740993.0]")]
    [InlineData("[1e19]")]
    public void A_number_in_a_list_that_is_no_exact_id_is_refused(string json)
    {
        var exception = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<FeatureValue>(json, Options));
        Assert.Contains("an integer without fraction and exponent, or a text", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"\\ud800\"")]
    [InlineData("[\"a\", \"\\udc00x\"]")]
    public void A_text_that_is_not_Unicode_is_refused_as_that(string json)
    {
        var exception = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<FeatureValue>(json, Options));
        Assert.Contains("not Unicode", exception.Message, StringComparison.Ordinal);
    }
}
