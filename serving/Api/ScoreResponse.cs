using System.Buffers;
using System.Text.Json;
using Monolith.Serving.Scoring;

namespace Monolith.Serving.Api;

/// <summary>
/// Writes the answer: <c>{request_id, model, scores: [{item_id, score, tasks: {name: probability}}], versions: [{shard, epoch,
/// sequence}], watermark_ms, age_seconds, canary_ms}</c>. Scores are in the order of the candidates; <c>score</c> is the
/// first task's probability; version −1 is that of the dense parameters; <c>canary_ms</c> only when it was asked for.
/// </summary>
internal static class ScoreResponse
{
    private static readonly JsonEncodedText Tasks = JsonEncodedText.Encode("tasks");
    private static readonly JsonEncodedText ItemId = JsonEncodedText.Encode("item_id");
    private static readonly JsonEncodedText Score = JsonEncodedText.Encode("score");

    public static void Write(
        IBufferWriter<byte> into,
        string requestId,
        ScoreRequest request,
        ModelScorer scorer,
        ScoreResult result,
        DateTimeOffset now)
    {
        using var json = new Utf8JsonWriter(into);
        json.WriteStartObject();
        json.WriteString("request_id", requestId);
        json.WriteString("model", scorer.Spec.Name);
        json.WriteStartArray("scores");
        for (var i = 0; i < result.Count; i++)
        {
            WriteScore(json, request.Candidates![i].ItemId, scorer, result.Of(i));
        }

        json.WriteEndArray();
        json.WriteStartArray("versions");
        foreach (var version in result.Versions)
        {
            json.WriteStartObject();
            json.WriteNumber("shard", version.Shard);
            json.WriteNumber("epoch", version.Epoch);
            json.WriteNumber("sequence", version.Sequence);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("watermark_ms", result.WatermarkMs);
        if (result.WatermarkMs > 0)
        {
            json.WriteNumber("age_seconds", Math.Max(0, (now.ToUnixTimeMilliseconds() - result.WatermarkMs) / 1000.0));
        }

        if (request.Canary)
        {
            json.WriteNumber("canary_ms", result.CanaryMs);
        }

        json.WriteEndObject();
    }

    private static void WriteScore(Utf8JsonWriter json, string itemId, ModelScorer scorer, ReadOnlySpan<float> probabilities)
    {
        json.WriteStartObject();
        json.WriteString(ItemId, itemId);
        json.WriteNumber(Score, probabilities[0]);
        json.WriteStartObject(Tasks);
        for (var t = 0; t < probabilities.Length; t++)
        {
            json.WriteNumber(scorer.Spec.Tasks[t].Name, probabilities[t]);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
