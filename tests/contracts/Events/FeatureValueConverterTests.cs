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
}
