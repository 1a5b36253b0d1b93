using System.Text.Json.Serialization;

namespace Monolith.Standalone.Demo.Traffic;

/// <summary>What the demo's application reads of an answer of the scoring API.</summary>
internal sealed record ScoreReply
{
    public required string RequestId { get; init; }

    public required IReadOnlyList<ItemScore> Scores { get; init; }

    public required IReadOnlyList<VersionReply> Versions { get; init; }

    public long CanaryMs { get; init; }
}

internal readonly record struct ItemScore(string ItemId, float Score);

internal readonly record struct VersionReply(int Shard, long Epoch, long Sequence);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ScoreReply))]
internal sealed partial class DemoJson : JsonSerializerContext;
