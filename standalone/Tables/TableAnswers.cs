using System.Text.Json;
using System.Text.Json.Serialization;
using Monolith.Contracts.Grains;

namespace Monolith.Standalone.Tables;

/// <summary>What <c>GET /v1/models/{model}/rows</c> answers.</summary>
/// <param name="Table">The table.</param>
/// <param name="Shard">The shard that keeps the id.</param>
/// <param name="Row">What is known of it.</param>
internal sealed record RowAnswer(string Table, int Shard, RowReport Row);

/// <summary>A shard's share of each table, as <c>GET /v1/models/{model}/tables</c> answers for all shards.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Tables">Its tables.</param>
internal sealed record ShardTables(int Shard, IReadOnlyList<TableReport> Tables);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters = [typeof(StandingInSnakeCase)])]
[JsonSerializable(typeof(RowAnswer))]
[JsonSerializable(typeof(ShardTables[]))]
internal sealed partial class TableJson : JsonSerializerContext;

internal sealed class StandingInSnakeCase() : JsonStringEnumConverter<RowStanding>(JsonNamingPolicy.SnakeCaseLower);
