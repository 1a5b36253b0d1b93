using System.Text.Json;
using System.Text.Json.Serialization;

namespace Monolith.Contracts.Sync;

/// <summary>What a snapshot is of. Written as JSON, so that <c>head</c> shows it.</summary>
public sealed record SnapshotHeader
{
    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>The part: <c>shard-0</c>…, <c>dense</c> or <c>metrics</c>.</summary>
    public required string Part { get; init; }

    /// <summary>The epoch of the activation that saved it.</summary>
    public required long Epoch { get; init; }

    /// <summary>The sequence of that epoch which the snapshot equals.</summary>
    public required long Sequence { get; init; }

    /// <summary>Emission time learned through, in Unix milliseconds.</summary>
    public required long WatermarkMs { get; init; }

    /// <summary>When it was taken, in Unix milliseconds.</summary>
    public required long TakenMs { get; init; }

    /// <summary>What must be the same for the body to mean the same, one line a fact.</summary>
    public required string[] Layout { get; init; }

    /// <summary>The stream that the part was learning from.</summary>
    public required string Stream { get; init; }

    /// <summary>How far each partition was applied: part of the state, so that the two are never out of step.</summary>
    public required PartitionOffsets[] Partitions { get; init; }

    /// <summary>
    /// Files of the same folder that are read before it, in this order: a full snapshot, then increments; null: it is full itself.
    /// </summary>
    public string[]? BuildsOn { get; init; }

    internal byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, SnapshotJson.Default.SnapshotHeader);

    internal static SnapshotHeader FromJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, SnapshotJson.Default.SnapshotHeader)
        ?? throw new InvalidDataException("The snapshot's header is empty.");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SnapshotHeader))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
