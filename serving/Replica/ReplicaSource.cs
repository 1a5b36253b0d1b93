using Microsoft.Extensions.Logging;
using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using StackExchange.Redis;

namespace Monolith.Serving.Replica;

/// <summary>Fetches what a replica lacks: deltas from Redis, bases from the snapshot folder.</summary>
internal sealed partial class ReplicaSource(
    ModelSpec spec, DenseLayout layout, ReplicaOptions options, IConnectionMultiplexer redis, ILogger logger)
{
    private const int DenseAttempts = 4;
    private readonly ServedRow[] _rows = [.. spec.WithCanary().Select(t => new ServedRow(t))];
    private readonly ServedRow[] _denseRow = [ServedRow.Floats(layout.Length)];

    private readonly ReplicaLayout _required = new(spec);

    // Why the newest delta of a shard was refused: said once as long as it stays the same.
    private readonly Dictionary<int, string> _refused = [];

    /// <summary>Refuses a head of another layout than this replica reads.</summary>
    /// <exception cref="InvalidDataException">What to do about it.</exception>
    public void Require(ShardHead head, int shard) => _required.Require(head, shard < 0 ? "dense" : $"shard-{shard}");

    /// <summary>Applies the deltas up to a sequence.</summary>
    /// <returns>False when one of them is gone or cannot be read: the shard is where it got.</returns>
    public async Task<bool> CatchUp(ReplicaShard shard, long sequence)
    {
        while (shard.Sequence < sequence)
        {
            var count = (int)Math.Min(sequence - shard.Sequence, options.FetchBatch);
            var keys = Enumerable.Range(1, count)
                .Select(i => (RedisKey)RedisNames.Delta(spec.Name, shard.Shard, shard.Epoch, shard.Sequence + i)).ToArray();
            var values = await redis.GetDatabase().StringGetAsync(keys);
            for (var i = 0; i < count; i++)
            {
                using var delta = Parse(shard.Shard, keys[i], await Join(keys[i], values[i]), _rows);
                if (delta is null)
                {
                    return false;
                }

                shard.Apply(delta);
            }
        }

        return true;
    }

    /// <summary>Loads a shard from its base and brings it up to its head, or as near to it as there are deltas.</summary>
    /// <returns>
    /// Null when a newer snapshot took the base's place meanwhile: look at the head again. Null too when there is no snapshot
    /// yet and a delta is missing: nothing would be known but initial values.
    /// </returns>
    public async Task<ReplicaShard?> Load(int shard, ShardHead head)
    {
        ReplicaShard loaded;
        try
        {
            loaded = head.Base.Length == 0
                ? ReplicaShard.Empty(spec, shard, head.Epoch)
                : ReplicaShard.Load(spec, _required, shard, head.Epoch, head.BaseSequence, PathOf(head));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            var now = await ShardHead.Read(redis.GetDatabase(), spec.Name, shard);
            return now is { } newer && newer.Base != head.Base ? null : throw new InvalidDataException(
                $"the base {head.Base} of shard {shard} is not in {options.SnapshotFolder}: replica and silos must see one folder", e);
        }

        try
        {
            if (await CatchUp(loaded, head.Sequence) || head.Base.Length > 0)
            {
                return loaded;
            }
        }
        catch
        {
            loaded.Dispose();
            throw;
        }

        loaded.Dispose();
        return null;
    }

    /// <summary>
    /// The dense parameters at their head, or newer: the newest delta says all. Without it, the base, if that is newer than what
    /// is held.
    /// </summary>
    public async Task<ReplicaDense> Dense(ShardHead head, ReplicaDense? held)
    {
        if (head.Sequence > head.BaseSequence)
        {
            // The next delta may overwrite a piece while the others are read. What was read is then no delta: read again.
            RedisKey key = RedisNames.DenseState(spec.Name);
            for (var attempt = 0; attempt < DenseAttempts; attempt++)
            {
                var bytes = await Join(key, await redis.GetDatabase().StringGetAsync(key));
                using var delta = attempt < DenseAttempts - 1 && !Delta.IsWhole(((ReadOnlyMemory<byte>)bytes).Span)
                    ? null
                    : Parse(RedisNames.Dense, key, bytes, _denseRow);
                if (delta?.Epoch == head.Epoch && delta.Sequence >= head.Sequence)
                {
                    return ReplicaDense.Of(delta);
                }

                if (bytes.IsNull || delta is not null)
                {
                    break; // lost, or of another activation
                }
            }
        }

        return held?.Version.Epoch == head.Epoch && held.Version.Sequence >= head.BaseSequence ? held
            : head.Base.Length == 0
            ? ReplicaDense.Initial(spec, layout, head.Epoch)
            : ReplicaDense.Load(_required, layout.Length, head.Epoch, head.BaseSequence, PathOf(head));
    }

    // A delta whose first piece is here, with its other pieces; null when one of them is gone.
    private async Task<RedisValue> Join(RedisKey key, RedisValue first)
    {
        var pieces = first.IsNull ? 1 : Delta.PiecesOf(((ReadOnlyMemory<byte>)first).Span);
        if (pieces == 1)
        {
            return first;
        }

        var keys = Enumerable.Range(1, pieces - 1).Select(i => (RedisKey)RedisNames.Piece(key!, i)).ToArray();
        var rest = await redis.GetDatabase().StringGetAsync(keys);
        if (Array.Exists(rest, piece => piece.IsNull))
        {
            return RedisValue.Null;
        }

        var whole = new byte[first.Length() + rest.Sum(piece => piece.Length())];
        var at = 0;
        foreach (var piece in rest.Prepend(first))
        {
            ((ReadOnlyMemory<byte>)piece).CopyTo(whole.AsMemory(at));
            at += (int)piece.Length();
        }

        return whole;
    }

    private string PathOf(ShardHead head) => Path.Combine(options.SnapshotFolder, head.Base);

    // A delta that is damaged, or of another format, is as good as gone: the next base takes its place.
    private Delta? Parse(int shard, RedisKey key, RedisValue value, ServedRow[] rows)
    {
        if (value.IsNull)
        {
            return null;
        }

        try
        {
            var delta = Delta.Parse(((ReadOnlyMemory<byte>)value).Span, spec.Name, rows);
            _refused.Remove(shard);
            return delta;
        }
        catch (InvalidDataException e)
        {
            if (_refused.GetValueOrDefault(shard) != e.Message)
            {
                _refused[shard] = e.Message;
                LogRefused(key, e.Message);
            }

            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The delta {Key} is passed over, the next snapshot takes its place: {Reason}")]
    private partial void LogRefused(RedisKey key, string reason);
}
