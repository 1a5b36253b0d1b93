using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Monolith.Contracts.Events;

/// <summary>
/// Raw values in JSON, the same in scoring requests and in events: a text, a number, or an array of texts and numbers for a
/// multi-valued feature. <c>null</c> is a missing value.
/// </summary>
/// <remarks>
/// An integer keeps all its digits, because it may be an id: one that does not fit a signed 64-bit integer is read as the
/// text of its digits, which names the same row. Any other number is a double; in an array, where values are always ids, one
/// of 2⁵³ or more is refused, because a double no longer says which integer was meant.
/// </remarks>
public sealed class FeatureValueConverter : JsonConverter<FeatureValue>
{
    /// <inheritdoc/>
    public override bool HandleNull => true;

    /// <inheritdoc/>
    public override FeatureValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return new FeatureValue();
            case JsonTokenType.String:
                return new FeatureValue { Text = Text(ref reader) };
            case JsonTokenType.Number:
                return reader.TryGetInt64(out var integer) ? new FeatureValue { Integer = integer }
                    : Digits(ref reader) is { } digits ? new FeatureValue { Text = digits }
                    : new FeatureValue { Number = Finite(ref reader) };
            case JsonTokenType.StartArray:
                var list = new TextList();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (list.Values.Count == FeatureLimits.MaxValues)
                    {
                        throw new JsonException(string.Create(
                            CultureInfo.InvariantCulture, $"an array has more than {FeatureLimits.MaxValues:N0} values, the most allowed in a list of text or numbers"));
                    }

                    list.Values.Add(Element(ref reader));
                }

                return new FeatureValue { List = list };
            default:
                throw Wrong(reader.TokenType);
        }
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, FeatureValue value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        switch (value?.KindCase)
        {
            case FeatureValue.KindOneofCase.Text:
                writer.WriteStringValue(value.Text);
                break;
            case FeatureValue.KindOneofCase.Integer:
                writer.WriteNumberValue(value.Integer);
                break;
            case FeatureValue.KindOneofCase.Number:
                writer.WriteNumberValue(value.Number);
                break;
            case FeatureValue.KindOneofCase.List:
                writer.WriteStartArray();
                foreach (var text in value.List.Values)
                {
                    writer.WriteStringValue(text);
                }

                writer.WriteEndArray();
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static string Element(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => Text(ref reader),
        JsonTokenType.Number => Digits(ref reader) ?? Fraction(Finite(ref reader)),
        _ => throw Wrong(reader.TokenType),
    };

    private static string Fraction(double number) => Math.Abs(number) < FeatureLimits.ExactBelow
        ? number.ToString(CultureInfo.InvariantCulture)
        : throw new JsonException(
            $"the number {number.ToString(CultureInfo.InvariantCulture)} in an array is no exact id; {FeatureLimits.AllowedAsId}");

    /// <summary>The digits of an integer; null for a number with a fraction or an exponent.</summary>
    internal static string? Digits(ref Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> literal = reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan;
        // JSON has no leading zeros, so only "-0" has another form than its integer.
        return literal.ContainsAny(".eE"u8) ? null : literal.SequenceEqual("-0"u8) ? "0" : Encoding.ASCII.GetString(literal);
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("a text is not Unicode (an unpaired surrogate, or bytes that are not UTF-8); a text is valid UTF-8", exception);
        }
    }

    private static double Finite(ref Utf8JsonReader reader) =>
        reader.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw new JsonException("a number is out of range; a value is a text, a finite number, or an array of these");

    private static JsonException Wrong(JsonTokenType found)
    {
        var name = found switch
        {
            JsonTokenType.True or JsonTokenType.False => "a boolean",
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array inside an array",
            JsonTokenType.Null => "null inside an array",
            _ => "this",
        };
        return new JsonException($"{name} is no feature value; a value is a text, a number, or an array of these");
    }
}
