using System.Text.Json;

namespace Monolith.Serving.Api;

/// <summary>Counts what a request is made of before any of it becomes an object.</summary>
/// <param name="Candidates">Elements of <c>candidates</c>.</param>
/// <param name="Values">Texts, numbers, booleans and nulls.</param>
internal readonly record struct ScoreRequestSize(int Candidates, int Values)
{
    /// <summary>
    /// A body of at most this many bytes is not counted before it is read: it cannot have enough in it to matter, and small
    /// requests are the ones whose time counts.
    /// </summary>
    public const int UncountedBytes = 32 << 10;

    /// <summary>Counts; what is no JSON is counted up to there, and left to the reader to refuse.</summary>
    public static ScoreRequestSize Of(ReadOnlySpan<byte> json)
    {
        var (candidates, values, inCandidates) = (0, 0, false);
        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName when reader.CurrentDepth == 1:
                        inCandidates = reader.ValueTextEquals("candidates"u8);
                        break;
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        candidates += inCandidates && reader.CurrentDepth == 2 ? 1 : 0;
                        break;
                    case JsonTokenType.PropertyName or JsonTokenType.EndObject or JsonTokenType.EndArray:
                        break;
                    default:
                        candidates += inCandidates && reader.CurrentDepth == 2 ? 1 : 0;
                        values++;
                        break;
                }
            }
        }
        catch (JsonException)
        {
            // The reader of the request says where and why.
        }
        catch (InvalidOperationException)
        {
            // Likewise: a property's name is not Unicode.
        }

        return new ScoreRequestSize(candidates, values);
    }
}
