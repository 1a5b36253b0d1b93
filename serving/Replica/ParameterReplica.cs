using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Features;
using StackExchange.Redis;

namespace Monolith.Serving.Replica;

/// <summary>
/// A model's parameters as serving holds them, following the shards by deltas (docs/sync.md). What it says it holds at a
/// version is exactly what the shard held then. It keeps answering from what it has while Redis is away.
/// </summary>
public sealed partial class ParameterReplica : BackgroundService
{
    private readonly ModelSpec _spec;
    private readonly DenseLayout _layout;
    private readonly ReplicaOptions _options;
    private readonly IConnectionMultiplexer _redis;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ReplicaSource _source;
    private readonly ReplicaShard?[] _shards;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private volatile ReplicaDense? _dense;
    private long _contactMs;
    private volatile string? _trouble;

    /// <summary>Creates a replica that holds nothing yet.</summary>
    public ParameterReplica(
        ModelSpec spec, ReplicaOptions options, IConnectionMultiplexer redis, TimeProvider time, ILogger<ParameterReplica> logger)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(redis);
        ArgumentNullException.ThrowIfNull(time);
        _spec = spec;
        _layout = DenseLayout.Of(spec);
        _options = options;
        _redis = redis;
        _time = time;
        _logger = logger;
        _source = new ReplicaSource(spec, _layout, options, redis, logger);
        _shards = new ReplicaShard?[spec.Shards];
    }

    /// <summary>Whether every shard and the dense parameters have been loaded once.</summary>
    public bool IsReady => _dense is not null && Array.TrueForAll(_shards, s => s is not null);

    /// <summary>Why the shards cannot be followed at present; null when they can.</summary>
    public string? Trouble => _trouble;

    /// <summary>How long ago the shards were last heard of.</summary>
    public TimeSpan SinceContact =>
        TimeSpan.FromMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds() - Interlocked.Read(ref _contactMs));

    /// <summary>Emission time that everything here has learned through, in Unix milliseconds; 0 before the first example.</summary>
    public long WatermarkMs => Versions().Min(v => v.WatermarkMs);

    /// <summary>What is held of each shard and, last, of the dense parameters.</summary>
    /// <exception cref="InvalidOperationException">It is not ready.</exception>
    public ReplicaVersion[] Versions()
    {
        ThrowUnlessReady();
        return [.. _shards.Select(s => new ReplicaVersion(s!.Shard, s.Epoch, s.Sequence, s.WatermarkMs)), _dense!.Version];
    }

    /// <summary>When the newest canary that has reached every shard was sent, in Unix milliseconds; 0 before the first.</summary>
    public long CanaryMs() => IsReady ? _shards.Min(s => s!.CanaryMs()) : 0;

    /// <summary>Memory of all tables, in bytes.</summary>
    public long Bytes() => _shards.Sum(s => s?.Bytes() ?? 0);

    /// <summary>Rows of each table, canary table last.</summary>
    public long[] Rows() => _shards.Select(s => s?.Rows() ?? new long[_spec.Tables.Length + 1])
        .Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]);

    /// <summary>Reads the rows of a batch, each shard at one version, and the dense parameters.</summary>
    /// <param name="ids">Built with as many shards as the model has.</param>
    /// <param name="values">float32, rows in the order of <see cref="BatchIds.Ids"/>, each as wide as its table.</param>
    /// <param name="versions">Receives one version a shard and, last, that of the dense parameters.</param>
    /// <returns>The dense parameters; not to be written to.</returns>
    /// <exception cref="InvalidOperationException">It is not ready.</exception>
    public ReadOnlyMemory<float> Read(BatchIds ids, Span<float> values, Span<ReplicaVersion> versions)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ThrowUnlessReady();
        for (var s = 0; s < _shards.Length; s++)
        {
            var counts = ids.Counts(s);
            var width = 0;
            for (var t = 0; t < _spec.Tables.Length; t++)
            {
                width += counts[t] * _spec.Tables[t].Dimension;
            }

            // A shard that is replaced between the two steps is read again, from its successor.
            while (!Volatile.Read(ref _shards[s])!.TryRead(ids.Ids[ids.Of(s)], counts, values[..width], out versions[s]))
            {
            }

            values = values[width..];
        }

        var dense = _dense!;
        versions[_shards.Length] = dense.Version;
        return dense.Values;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        foreach (var shard in _shards)
        {
            shard?.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var subscribed = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!subscribed)
                {
                    await _redis.GetSubscriber().SubscribeAsync(
                        RedisChannel.Literal(RedisNames.Channel(_spec.Name)), (_, _) => _wake.Writer.TryWrite(true));
                    subscribed = true;
                }

                await FollowAll();
                Interlocked.Exchange(ref _contactMs, _time.GetUtcNow().ToUnixTimeMilliseconds());
                if (_trouble is not null)
                {
                    _trouble = null;
                    LogBack(_spec.Name);
                }
            }
            catch (Exception e) when (e is RedisException or TimeoutException or IOException or InvalidDataException)
            {
                // A message of Redis has figures of the moment in it: only what is wrong with parameters is logged when it changes.
                if (_trouble is null || (e is InvalidDataException && e.Message != _trouble))
                {
                    LogAway(_spec.Name, e);
                }

                _trouble = e.Message;
            }

            await Wait(stoppingToken);
        }
    }

    private async Task FollowAll()
    {
        // All heads are asked for at once and answered in one round trip: an announcement only says that something moved.
        var redis = _redis.GetDatabase();
        var heads = Enumerable.Range(0, _shards.Length).Append(RedisNames.Dense)
            .Select(s => ShardHead.Read(redis, _spec.Name, s)).ToArray();
        await Task.WhenAll(heads);
        var failures = new List<Exception>();
        for (var s = 0; s < heads.Length; s++)
        {
            // One that cannot be followed keeps none of the others back.
            try
            {
                if (heads[s].Result is { } head)
                {
                    _source.Require(head, s < _shards.Length ? s : RedisNames.Dense);
                    await (s < _shards.Length ? Follow(s, head) : FollowDense(head));
                }
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                failures.Add(e);
            }
        }

        if (failures.Count > 0)
        {
            throw failures[0];
        }
    }

    private async Task FollowDense(ShardHead head)
    {
        if ((_dense?.Version.Epoch, _dense?.Version.Sequence) != (head.Epoch, head.Sequence))
        {
            _dense = await _source.Dense(head, _dense);
        }

        _dense = _dense!.Advance(head);
    }

    private async Task Follow(int index, ShardHead head)
    {
        var shard = _shards[index];
        if (shard?.Epoch == head.Epoch && (await _source.CatchUp(shard, head.Sequence) || shard.Sequence >= head.BaseSequence))
        {
            shard.Advance(head.Sequence, head.WatermarkMs);
            return; // it is at the head, or as near as the base would bring it
        }

        var loaded = await _source.Load(index, head);
        if (loaded is not null)
        {
            loaded.Advance(head.Sequence, head.WatermarkMs);
            Volatile.Write(ref _shards[index], loaded);
            shard?.Dispose();
            LogLoaded(_spec.Name, index, loaded.Epoch, loaded.Sequence, head.Base.Length == 0 ? "nothing" : head.Base);
        }
    }

    private async Task Wait(CancellationToken stopping)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        patience.CancelAfter(_options.PollInterval);
        try
        {
            await _wake.Reader.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // Nothing was announced: look all the same.
        }
    }

    private void ThrowUnlessReady()
    {
        if (!IsReady)
        {
            throw new InvalidOperationException($"the replica of model '{_spec.Name}' has no parameters yet");
        }
    }

    [LoggerMessage(LogLevel.Warning, "Replica of {Model}: the shards cannot be followed; serving goes on from what is here.")]
    private partial void LogAway(string model, Exception exception);

    [LoggerMessage(LogLevel.Information, "Replica of {Model}: following again.")]
    private partial void LogBack(string model);

    [LoggerMessage(LogLevel.Information, "Replica of {Model}: shard {Shard} loaded at {Epoch}:{Sequence} from {Base}.")]
    private partial void LogLoaded(string model, int shard, long epoch, long sequence, string @base);
}
