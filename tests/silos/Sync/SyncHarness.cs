using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Events;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Features;
using Monolith.Serving.Replica;
using Monolith.Silos.Federation;
using Monolith.Silos.Models;
using Monolith.Silos.Parts;
using Monolith.Silos.Shards;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Sync;

/// <summary>
/// Shards and dense parameters that change at random, a replica that follows them through a real Redis protocol, and a
/// record of what each version was: the judge of "a replica at version v holds what the shard held at v", rounded as each
/// segment is served.
/// </summary>
public sealed partial class SyncHarness : IAsyncDisposable
{
    private readonly ModelSpec _spec;
    private readonly TestRedis _redis;
    private readonly TemporaryFolder _folder = new();
    private readonly SiloMetrics _metrics = new();
    private readonly Random _random;
    private readonly ShardState[] _shards = new ShardState[SomeModels.Small.Shards];
    private readonly PartKeeper[] _keepers = new PartKeeper[SomeModels.Small.Shards];
    private readonly Dictionary<(int Shard, long Epoch, long Sequence), float[]> _held = [];
    private readonly ConcurrentDictionary<(int Shard, long Epoch, long Sequence), float[]> _seen = new();
    private readonly BatchIds _ids;
    private readonly ParameterReplica _replica;
    private readonly CancellationTokenSource _stop = new();
    private DenseModel _dense = null!;
    private PartKeeper _denseKeeper = null!;
    private Task _reader = Task.CompletedTask;

    private SyncHarness(TestRedis redis, int seed)
    {
        _redis = redis;
        _random = new Random(seed);
        _spec = SomeModels.Small with { Tables = [.. SomeModels.Small.Tables.Select(Served)] };
        var extractor = new FeatureExtractor(_spec, ExtractFor.Training);
        var batch = extractor.CreateBatch();
        for (var i = 0; i < 64; i++)
        {
            extractor.Append(
                new Dictionary<string, FeatureValue> { ["user"] = new() { Text = $"u{i}" } },
                new Dictionary<string, FeatureValue> { ["item"] = new() { Text = $"i{i}" } },
                batch);
        }

        _ids = new BatchIds(extractor, _spec.Shards);
        _ids.Build(batch);
        _replica = NewReplica(NullLogger<ParameterReplica>.Instance);
    }

    /// <summary>Versions that the replica was seen at.</summary>
    public int VersionsSeen => _seen.Count;

    public static async Task<SyncHarness> StartAsync(TestRedis redis, int seed)
    {
        var harness = new SyncHarness(redis, seed);
        for (var s = 0; s < harness._spec.Shards; s++)
        {
            await harness.RestoreShard(s);
        }

        await harness.RestoreDense();
        await harness._replica.StartAsync(CancellationToken.None);
        harness._reader = Task.Run(harness.ReadOnAndOn);
        return harness;
    }

    /// <summary>One random thing that may happen.</summary>
    public async Task Step()
    {
        var shard = _random.Next(_spec.Shards);
        switch (_random.Next(100))
        {
            case < 50:
                Push(shard);
                break;
            case < 60:
                CloseRound();
                break;
            case < 85:
                await Flush(shard);
                await FlushDense();
                break;
            case < 92:
                await _keepers[shard].SaveAsync();
                Record(shard);
                break;
            case < 94:
                await _denseKeeper.SaveAsync();
                RecordDense();
                break;
            case < 97:
                await LoseDeltas();
                break;
            case < 99:
                await RestoreShard(shard); // a crash: what was not saved is lost
                break;
            default:
                await RestoreDense();
                break;
        }
    }

    /// <summary>Redis forgets everything.</summary>
    public Task EmptyRedis() => _redis.Connection.GetServer("127.0.0.1", _redis.Port).FlushAllDatabasesAsync();

    /// <summary>After a save and a flush of everything the replica must come to where the parts are.</summary>
    public async Task Settle()
    {
        for (var s = 0; s < _spec.Shards; s++)
        {
            Push(s);
            await _keepers[s].SaveAsync();
            Record(s);
            await Flush(s);
        }

        CloseRound();
        await _denseKeeper.SaveAsync();
        RecordDense();
        await FlushDense();
        await Eventually.True(() => IsThere(_replica), "the replica reaches the versions that the parts have");
        await _stop.CancelAsync();
        await _reader;
        ReadOnce(_replica);
    }

    /// <summary>What was seen at a version must be what was held at it.</summary>
    public void AssertSeenIsHeld()
    {
        Assert.NotEmpty(_seen);
        foreach (var (version, values) in _seen)
        {
            Assert.True(_held.TryGetValue(version, out var held), $"version {version} was never held");
            Assert.True(Bits(held).SequenceEqual(Bits(values)), $"at {version} the replica holds something else");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reader;
        await _replica.StopAsync(CancellationToken.None);
        _replica.Dispose();
        Array.ForEach(_shards, s => s.Dispose());
        _metrics.Dispose();
        _stop.Dispose();
        _folder.Dispose();
    }

    private static ReadOnlySpan<byte> Bits(float[] values) => MemoryMarshal.AsBytes<float>(values);

    // Beside the product's own rounding.
    private static float Rounded(float value, RowPrecision precision)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return precision switch
        {
            RowPrecision.Float16 => (float)(Half)value,
            RowPrecision.BFloat16 => BitConverter.UInt32BitsToSingle((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000),
            _ => value,
        };
    }

    private TableSpec Served(TableSpec table) => table with
    {
        Precision = _random.Next(3) == 0 ? SomePrecision() : RowPrecision.Float32,
        Segments = [.. table.Segments.Select(s => s with { ServingPrecision = SomePrecision() })],
    };

    private RowPrecision SomePrecision() => (RowPrecision)_random.Next(3);

    private ParameterReplica NewReplica(ILogger<ParameterReplica> log) => new(
        _spec,
        new ReplicaOptions { SnapshotFolder = _folder.Path, PollInterval = TimeSpan.FromMilliseconds(50) },
        _redis.Connection,
        TimeProvider.System,
        log);

    private bool IsThere(ParameterReplica replica) =>
        replica.IsReady && Array.TrueForAll(replica.Versions(), v => (v.Epoch, v.Sequence) == Head(v.Shard));

    private (long Epoch, long Sequence) Head(int shard) => shard < 0
        ? (_denseKeeper.Epoch, _denseKeeper.Sequence)
        : (_keepers[shard].Epoch, _keepers[shard].Sequence);

    private async Task RestoreShard(int shard)
    {
        _shards[shard]?.Dispose();
        _shards[shard] = new ShardState(_spec, shard);
        _keepers[shard] = Services().Keep(PartIdentity.Shard(_spec.Name, shard), _shards[shard], _spec.Sync);
        await _keepers[shard].RestoreAsync();
        Record(shard);
    }

    private async Task RestoreDense()
    {
        _dense = new DenseModel(_spec);
        _denseKeeper = Services().Keep(PartIdentity.Dense(_spec.Name), _dense, _spec.Sync);
        await _denseKeeper.RestoreAsync();
        RecordDense();
    }

    private PartServices Services() =>
        new(new ModelRegistry(_spec), _folder.Path, _redis.Connection, TimeProvider.System, _metrics, NullLoggerFactory.Instance);

    private void Push(int shard)
    {
        var at = _shards[shard].Offsets.Of("examples/0").AppliedThrough;
        ulong[] Some(int table) => [.. _ids.Ids[_ids.Of(shard, table)].ToArray().Where(_ => _random.Next(4) == 0)];

        // Time moves so that rows of the table with expiry come and go.
        var push = Pushes.Of(_spec, Pushes.Span(at, at + 1, watermarkMs: at), Some(0), Some(1), (uint)(1_000_000 + (at * 300)));
        _shards[shard].Check(push);
        Assert.Equal(PushOutcome.Applied, _shards[shard].Push(push, out _).Outcome);
    }

    private void CloseRound()
    {
        var difference = new float[_dense.Parameters.Length];
        Array.Fill(difference, 0.01f * _random.NextSingle());
        _dense.Add(new RoundReport("w", _dense.Round, 1, Block.Of<float>(difference), Block.Empty, []));
        _dense.CloseRound();
    }

    private async Task Flush(int shard)
    {
        var flushing = _keepers[shard].FlushAsync();
        Record(shard);
        await flushing;
    }

    private async Task FlushDense()
    {
        var flushing = _denseKeeper.FlushAsync();
        RecordDense();
        await flushing;
    }

    // The state is at the sequence right after a flush, a save or a restore.
    private void Record(int shard)
    {
        var (epoch, sequence) = Head(shard);
        using var values = _shards[shard].Lookup(new LookupRequest(
            _ids.Counts(shard).ToArray(), Block.Of(_ids.Ids[_ids.Of(shard)])));
        _held[(shard, epoch, sequence)] = Served(values.As<float>(), _ids.Counts(shard));
    }

    // What a replica is to read where the shard has these values.
    private float[] Served(ReadOnlySpan<float> values, ReadOnlySpan<int> counts)
    {
        var served = new List<float>(values.Length);
        for (var t = 0; t < _spec.Tables.Length; t++)
        {
            for (var row = 0; row < counts[t]; row++)
            {
                foreach (var segment in _spec.Tables[t].Segments)
                {
                    foreach (var value in values.Slice(served.Count, segment.Dimension))
                    {
                        served.Add(Rounded(value, segment.ServingPrecision));
                    }
                }
            }
        }

        return [.. served];
    }

    private void RecordDense() =>
        _held[(RedisNames.Dense, _denseKeeper.Epoch, _denseKeeper.Sequence)] = _dense.Parameters.ToArray();

    private async Task LoseDeltas()
    {
        var server = _redis.Connection.GetServer("127.0.0.1", _redis.Port);
        await foreach (var key in server.KeysAsync(pattern: "*:de*")) // deltas and the dense state
        {
            if (_random.Next(2) == 0)
            {
                await _redis.Connection.GetDatabase().KeyDeleteAsync(key);
            }
        }
    }

    private void ReadOnAndOn()
    {
        while (!_stop.IsCancellationRequested)
        {
            ReadOnce(_replica);
            Thread.Yield();
        }
    }

    private void ReadOnce(ParameterReplica replica)
    {
        if (!replica.IsReady)
        {
            return;
        }

        var values = new float[_ids.Count * _spec.Tables[0].Dimension]; // both tables are equally wide
        var versions = new ReplicaVersion[_spec.Shards + 1];
        var dense = replica.Read(_ids, values, versions);
        for (var s = 0; s < _spec.Shards; s++)
        {
            var range = _ids.Of(s);
            var width = _spec.Tables[0].Dimension;
            See(versions[s], values[(range.Start.Value * width)..(range.End.Value * width)]);
        }

        See(versions[^1], dense.Span.ToArray());
    }

    private void See(ReplicaVersion version, float[] values)
    {
        var seen = _seen.GetOrAdd((version.Shard, version.Epoch, version.Sequence), values);
        Assert.True(Bits(seen).SequenceEqual(Bits(values)), $"two readings at {version} differ");
    }
}
