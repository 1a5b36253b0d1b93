using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Monolith.Contracts.Events;

/// <summary>
/// Raw values in JSON, the same in scoring requests and in events: a text, a number, or an array of texts and numbers for a
/// multi-valued feature. <c>null</c> is a missing value.
/// </summary>
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
                return new FeatureValue { Text = reader.GetString() };
            case JsonTokenType.Number:
                return reader.TryGetInt64(out var integer)
                    ? new FeatureValue { Integer = integer }
                    : new FeatureValue { Number = Finite(ref reader) };
            case JsonTokenType.StartArray:
                var list = new TextList();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
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
        JsonTokenType.String => reader.GetString()!,
        JsonTokenType.Number when reader.TryGetInt64(out var integer) => integer.ToString(CultureInfo.InvariantCulture),
        JsonTokenType.Number => Finite(ref reader).ToString(CultureInfo.InvariantCulture),
        _ => throw Wrong(reader.TokenType),
    };

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
