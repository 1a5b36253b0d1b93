using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Serving.Api;
using Monolith.Serving.Replica;
using StackExchange.Redis;

namespace Monolith.Serving.Tests.Support;

/// <summary>The scoring API as it runs in production: Kestrel on loopback, a replica that follows a Redis-compatible server.</summary>
public sealed class ScoringApp : IAsyncLifetime
{
    public const string Yaml = """
        model: shop
        partition_by: user_id
        shards: 2
        tables:
          - name: main
            segments:
              - { dimension: 1, initializer: { kind: uniform, low: -0.5, high: 0.5 }, optimizer: { kind: sgd, learning_rate: 0.1 } }
              - { dimension: 4, initializer: { kind: uniform, low: -0.5, high: 0.5 }, optimizer: { kind: sgd, learning_rate: 0.1 } }
        features:
          - { name: user_id, kind: categorical, source: user_id, table: main }
          - { name: item_id, kind: categorical, source: item_id, table: main }
          - { name: tags, kind: categorical, source: tags, separator: "|", table: main }
          - { name: position, kind: categorical, source: position, table: main, score_as: "1" }
          - { name: price, kind: numeric, source: price, transforms: [ { kind: log } ] }
        network: { kind: deepfm, hidden: [8, 4] }
        tasks:
          - { name: click, label: click, base_rate: 0.1 }
          - { name: buy, label: buy, base_rate: 0.01 }
        serving: { max_candidates: 5 }
        """;

    private readonly EmbeddedGarnet _garnet = new();
    private readonly string _snapshots = Directory.CreateTempSubdirectory("monolith-scoring-").FullName;
    private WebApplication? _app;

    /// <summary>The model's specification.</summary>
    public string Specification { get; init; } = Yaml;

    public ModelSpec Spec => field ??= ModelSpecFile.Parse(Specification, "shop.yaml");

    public HttpClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IConnectionMultiplexer>(_garnet.Connection);
        builder.Services.AddServing(
            Spec,
            new ReplicaOptions { SnapshotFolder = _snapshots, PollInterval = TimeSpan.FromMilliseconds(20) },
            new ScoringOptions { MaxBodyBytes = 64 << 10 });
        _app = builder.Build();
        _app.MapServing();
        await _app.StartAsync();
        Client = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()) };
    }

    /// <summary>Says in Redis where the shards are, as their publisher does: at the start of an epoch, without a base.</summary>
    public async Task PublishHeads()
    {
        for (var shard = RedisNames.Dense; shard < Spec.Shards; shard++)
        {
            await _garnet.Connection.GetDatabase().HashSetAsync(
                RedisNames.Head(Spec.Name, shard),
                [new(RedisNames.EpochField, 7), new(RedisNames.SequenceField, 0), new(RedisNames.BaseSequenceField, 0)]);
        }

        await Eventually.True(async () => (await Client.GetAsync("/health/ready")).IsSuccessStatusCode);
    }

    /// <summary>Publishes a delta in which a canary has reached a shard.</summary>
    public async Task PublishCanary(int shard, long sequence, long sentMs)
    {
        var tables = Spec.WithCanary();
        DeltaTable[] shape = [.. tables.Select((t, i) => new DeltaTable(i == tables.Count - 1 ? 1 : 0, 0, new ServedRow(t)))];
        using var delta = Delta.Create(Spec.Name, shard, 7, sequence - 1, sequence, sentMs, shape);
        delta.Ids(tables.Count - 1)[0] = CanaryTable.IdOf(shard, Spec.Shards);
        CanaryTable.Encode(sentMs, MemoryMarshal.Cast<byte, float>(delta.Rows(tables.Count - 1)));
        delta.Seal();
        var redis = _garnet.Connection.GetDatabase();
        await redis.StringSetAsync(RedisNames.Delta(Spec.Name, shard, 7, sequence), delta.Memory);
        await redis.HashSetAsync(RedisNames.Head(Spec.Name, shard), RedisNames.SequenceField, sequence);
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }

        _garnet.Dispose();
        Directory.Delete(_snapshots, recursive: true);
    }
}
