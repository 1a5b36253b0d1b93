using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Parts;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Tables;

/// <summary>What a running service's shards hold, and why they do not hold an id.</summary>
internal static class TableEndpoints
{
    /// <summary>
    /// Maps <c>GET /v1/models/{model}/rows?feature=F&amp;value=V</c> (or <c>?table=T&amp;id=N</c>) and <c>/tables</c>.
    /// </summary>
    public static void MapTables(this IEndpointRouteBuilder routes, ModelSpec spec, IGrainFactory grains)
    {
        routes.MapGet(
            $"/v1/models/{spec.Name}/rows",
            async (string? feature, string[]? value, string? table, string? id, CancellationToken cancellation) =>
            {
                RowQuestion question;
                try
                {
                    question = RowQuestion.Of(spec, feature, value ?? [], table, id);
                }
                catch (UsageException exception)
                {
                    return Results.Problem(exception.Message, statusCode: StatusCodes.Status400BadRequest);
                }

                var shard = ShardMap.Of(question.Id, spec.Shards);
                var row = await Shard(shard).Explain(question.Table, question.Id).AsTask().WaitAsync(cancellation);
                return Results.Json(new RowAnswer(spec.Tables[question.Table].Name, shard, row), TableJson.Default.RowAnswer);
            });
        routes.MapGet($"/v1/models/{spec.Name}/tables", async (CancellationToken cancellation) =>
        {
            // One shard after another: each holds up its calls while it counts, and they need not all do so at once.
            var shards = new ShardTables[spec.Shards];
            for (var s = 0; s < shards.Length; s++)
            {
                var tables = await Shard(s).Tables().AsTask().WaitAsync(cancellation);
                shards[s] = new ShardTables(s, tables[..spec.Tables.Length]);
            }

            return Results.Json(shards, TableJson.Default.ShardTablesArray);
        });

        IEmbeddingShardGrain Shard(int shard) => grains.GetGrain<IEmbeddingShardGrain>(PartIdentity.ShardKey(spec.Name, shard));
    }
}
