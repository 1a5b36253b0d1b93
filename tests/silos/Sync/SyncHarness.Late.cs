using System.IO.Hashing;
using Monolith.Contracts.Sync;
using Monolith.Serving.Replica;
using Monolith.Silos.Federation;
using Monolith.Silos.Parts;
using Monolith.Silos.Shards;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Sync;

/// <content>Replicas that come late and have to start from bases.</content>
public sealed partial class SyncHarness
{
    /// <summary>Saves until the base of every shard is an increment.</summary>
    public async Task SaveIncrements()
    {
        for (var s = 0; s < _spec.Shards; s++)
        {
            // After a full snapshot comes an increment.
            for (var saves = 0; saves == 0 || !(await Base(s)).EndsWith(".increment.snap", StringComparison.Ordinal); saves++)
            {
                Assert.InRange(saves, 0, 2);
                Push(s);
                await _keepers[s].SaveAsync();
                Record(s);
            }
        }
    }

    /// <summary>A replica that starts now reads bases; it must come to where the parts are.</summary>
    /// <param name="harmed">A shard whose base is damaged: until that comes back from an older one, the replica is not ready.</param>
    /// <returns>The bases read.</returns>
    public async Task<string[]> FollowAnew(int? harmed = null)
    {
        var log = new ReplicaLog();
        using var replica = NewReplica(log);
        if (harmed is { } shard)
        {
            var path = Path.Combine(_folder.Path, await Base(shard));
            var bytes = await File.ReadAllBytesAsync(path);
            bytes[_random.Next(bytes.Length)] ^= 1;
            await File.WriteAllBytesAsync(path, bytes);
        }

        await replica.StartAsync(CancellationToken.None);
        if (harmed is { } damaged)
        {
            await Eventually.True(() => log.Says("is damaged"), "the replica finds the base damaged");
            Assert.False(replica.IsReady);
            await RestoreShard(damaged);
        }

        await Eventually.True(() => IsThere(replica), "a new replica reaches the versions that the parts have");
        ReadOnce(replica);
        await replica.StopAsync(CancellationToken.None);
        return [.. log.Bases];
    }

    /// <summary>
    /// A replica that cannot read the deltas, as they are of an older format: it follows from snapshot to snapshot, and says why.
    /// </summary>
    public async Task FollowByBasesAlone()
    {
        await SaveIncrements();
        await _denseKeeper.SaveAsync();
        RecordDense();
        CloseRound();
        await FlushDense();
        for (var s = 0; s < _spec.Shards; s++)
        {
            Push(s);
            await Flush(s);
        }

        await MakeDeltasOld();
        var log = new ReplicaLog();
        using var replica = NewReplica(log);
        await replica.StartAsync(CancellationToken.None);
        await Eventually.True(() => replica.IsReady, "the bases alone make a replica ready");
        Assert.All(replica.Versions(), v => Assert.True((v.Epoch, v.Sequence + 1) == Head(v.Shard), $"{v} is not the base's"));
        Assert.True(log.Says("version 1 was found; 544c444d version 3 is read"));
        ReadOnce(replica);
        await SaveIncrements();
        CloseRound();
        await _denseKeeper.SaveAsync();
        RecordDense();
        await Eventually.True(() => IsThere(replica), "the next snapshots take the replica on");
        ReadOnce(replica);
        Assert.InRange(log.Bases.Length, _spec.Shards, 5 * _spec.Shards);
        await replica.StopAsync(CancellationToken.None);
    }

    /// <summary>
    /// A replica of fewer shards is not ready, and says why, whether the heads tell it or, where a head states no layout, the bases.
    /// </summary>
    /// <param name="saved">Whether the bases must tell it.</param>
    public async Task RefuseOtherLayout(bool saved)
    {
        if (saved)
        {
            await SaveIncrements();
            await _denseKeeper.SaveAsync();
            RecordDense();
            foreach (var shard in Enumerable.Range(0, _spec.Shards).Append(RedisNames.Dense))
            {
                await _redis.Connection.GetDatabase().HashDeleteAsync(RedisNames.Head(_spec.Name, shard), RedisNames.LayoutField);
            }
        }

        var log = new ReplicaLog();
        using var replica = new ParameterReplica(
            _spec with { Shards = _spec.Shards - 1 },
            new ReplicaOptions { SnapshotFolder = _folder.Path, PollInterval = TimeSpan.FromMilliseconds(20) },
            _redis.Connection, TimeProvider.System, log);
        await replica.StartAsync(CancellationToken.None);
        await Eventually.True(() => replica.Trouble is not null, "the replica finds the layout another");
        Assert.Contains("Start both with the same one", replica.Trouble, StringComparison.Ordinal);
        Assert.True(log.Says(saved ? $"stored: shards {_spec.Shards}; now: shards {_spec.Shards - 1}" : "is published with layout"));
        Assert.False(replica.IsReady);

        // The parts are started anew with the replica's specification.
        await EmptyRedis();
        Array.ForEach(Directory.GetDirectories(_folder.Path), d => Directory.Delete(d, recursive: true));
        var spec = _spec with { Shards = _spec.Shards - 1 };
        for (var s = 0; s < spec.Shards; s++)
        {
            using var state = new ShardState(spec, s);
            await Services().Keep(PartIdentity.Shard(spec.Name, s), state, spec.Sync).RestoreAsync();
        }

        await Services().Keep(PartIdentity.Dense(spec.Name), new DenseModel(spec), spec.Sync).RestoreAsync();
        await Eventually.True(() => replica.IsReady && replica.Trouble is null, "the replica follows parts of its own layout");
        await replica.StopAsync(CancellationToken.None);
    }

    // The version follows the magic; the checksum comes last.
    private async Task MakeDeltasOld()
    {
        var (server, database) = (_redis.Connection.GetServer("127.0.0.1", _redis.Port), _redis.Connection.GetDatabase());
        await foreach (var key in server.KeysAsync(pattern: "*:de*"))
        {
            var bytes = (byte[])(await database.StringGetAsync(key))!;
            bytes[4] = 1;
            BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 8), XxHash3.HashToUInt64(bytes.AsSpan(0, bytes.Length - 8)));
            await database.StringSetAsync(key, bytes);
        }
    }

    private async Task<string> Base(int shard) =>
        (string)(await _redis.Connection.GetDatabase().HashGetAsync(RedisNames.Head(_spec.Name, shard), RedisNames.BaseField))!;
}
