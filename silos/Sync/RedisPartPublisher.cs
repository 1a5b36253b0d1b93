using System.Globalization;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Sync;
using Monolith.Silos.Parts;
using StackExchange.Redis;

namespace Monolith.Silos.Sync;

/// <summary>Publishes one part through Redis (docs/sync.md).</summary>
/// <param name="redis">The connection; reconnects by itself.</param>
/// <param name="part">The part.</param>
/// <param name="layout">Fingerprint of the part's layout, so that a replica of another one refuses what it would misread.</param>
/// <param name="deltaTimeToLive">How long a delta can be fetched.</param>
/// <param name="logger">Hears when Redis goes away and comes back.</param>
public sealed partial class RedisPartPublisher(
    IConnectionMultiplexer redis, PartIdentity part, string layout, TimeSpan deltaTimeToLive, ILogger logger) : IPartPublisher
{
    private const int LeaseAttempts = 5;
    private readonly RedisKey _lease = RedisNames.Lease(part.Model, part.Lease);
    private readonly RedisKey _head = part.SyncShard is { } shard ? RedisNames.Head(part.Model, shard) : default;
    private readonly RedisChannel _channel = RedisChannel.Literal(RedisNames.Channel(part.Model));
    private bool _away;

    private IDatabase Database => redis.GetDatabase();

    /// <inheritdoc/>
    public async Task<(PublishOutcome Outcome, long Holder)> TakeLeaseAsync(long epoch, bool mayBeOurs)
    {
        try
        {
            for (var attempt = 0; attempt < LeaseAttempts; attempt++)
            {
                var held = await Database.StringGetAsync(_lease);
                if (!held.IsNull && (long)held >= epoch)
                {
                    return (mayBeOurs && (long)held == epoch ? Answered() : PublishOutcome.Fenced, (long)held);
                }

                var transaction = Database.CreateTransaction();
                transaction.AddCondition(held.IsNull ? Condition.KeyNotExists(_lease) : Condition.StringEqual(_lease, held));
                _ = transaction.StringSetAsync(_lease, epoch, flags: CommandFlags.FireAndForget);
                if (await transaction.ExecuteAsync())
                {
                    return (Answered(), epoch);
                }
            }

            return (PublishOutcome.Unavailable, 0); // others keep changing it: try again later
        }
        catch (Exception e) when (IsAway(e))
        {
            return (Away(e), 0);
        }
    }

    /// <inheritdoc/>
    public async Task<PublishOutcome> CheckLeaseAsync(long epoch)
    {
        try
        {
            var held = await Database.StringGetAsync(_lease);
            return held.IsNull || (long)held < epoch ? (await TakeLeaseAsync(epoch, mayBeOurs: true)).Outcome
                : (long)held == epoch ? Answered()
                : PublishOutcome.Fenced;
        }
        catch (Exception e) when (IsAway(e))
        {
            return Away(e);
        }
    }

    /// <inheritdoc/>
    public async Task<string> PublishedBaseAsync()
    {
        if (part.SyncShard is null)
        {
            return ""; // nothing of it travels
        }

        try
        {
            return (string?)await Database.HashGetAsync(_head, RedisNames.BaseField) ?? "";
        }
        catch (Exception e) when (IsAway(e))
        {
            Away(e);
            return "";
        }
    }

    /// <inheritdoc/>
    public async Task<PublishOutcome> PublishAsync(PartHead head, Delta? delta)
    {
        var outcome = await TryPublishAsync(head, delta);
        if (outcome == PublishOutcome.Fenced)
        {
            // The lease is not ours: either somebody else's, or Redis was emptied and nobody's.
            outcome = await CheckLeaseAsync(head.Epoch);
            return outcome == PublishOutcome.Published ? await TryPublishAsync(head, delta) : outcome;
        }

        return outcome;
    }

    private static bool IsAway(Exception e) =>
        e is RedisConnectionException or RedisTimeoutException or RedisServerException or ObjectDisposedException;

    private async Task<PublishOutcome> TryPublishAsync(PartHead head, Delta? delta)
    {
        try
        {
            var transaction = Database.CreateTransaction();
            transaction.AddCondition(Condition.StringEqual(_lease, head.Epoch));

            // Written again so that a server that drops what is oldest keeps it.
            _ = transaction.StringSetAsync(_lease, head.Epoch, flags: CommandFlags.FireAndForget);
            if (delta is not null)
            {
                // The dense parameters are overwritten in place: each of their deltas says all of them.
                var isDense = delta.Shard == RedisNames.Dense;
                var key = isDense
                    ? RedisNames.DenseState(part.Model)
                    : RedisNames.Delta(part.Model, delta.Shard, delta.Epoch, delta.Sequence);
                var timeToLive = isDense ? default : (Expiration)deltaTimeToLive;
                for (var piece = 0; piece < delta.Pieces; piece++)
                {
                    _ = transaction.StringSetAsync(
                        RedisNames.Piece(key, piece), delta.Piece(piece), timeToLive, flags: CommandFlags.FireAndForget);
                }
            }

            _ = transaction.HashSetAsync(
                _head,
                [
                    new(RedisNames.LayoutField, layout),
                    new(RedisNames.EpochField, head.Epoch),
                    new(RedisNames.SequenceField, head.Sequence),
                    new(RedisNames.BaseField, head.Base),
                    new(RedisNames.BaseSequenceField, head.BaseSequence),
                    new(RedisNames.WatermarkField, head.WatermarkMs),
                ],
                CommandFlags.FireAndForget);
            if (!await transaction.ExecuteAsync())
            {
                return PublishOutcome.Fenced;
            }

            // Only a hint: a replica that misses it looks at the head now and then.
            var announcement = string.Create(CultureInfo.InvariantCulture, $"{part.SyncShard}:{head.Epoch}:{head.Sequence}");
            await Database.PublishAsync(_channel, announcement, CommandFlags.FireAndForget);
            return Answered();
        }
        catch (Exception e) when (IsAway(e))
        {
            return Away(e);
        }
    }

    private PublishOutcome Answered()
    {
        if (_away)
        {
            _away = false;
            LogBack(part);
        }

        return PublishOutcome.Published;
    }

    private PublishOutcome Away(Exception e)
    {
        if (!_away)
        {
            _away = true;
            LogAway(part, e.Message);
        }

        return PublishOutcome.Unavailable;
    }

    [LoggerMessage(LogLevel.Warning, "Redis is away; {Part} goes on learning and publishes when it is back: {Reason}")]
    private partial void LogAway(PartIdentity part, string reason);

    [LoggerMessage(LogLevel.Information, "Redis is back; {Part} publishes again")]
    private partial void LogBack(PartIdentity part);
}
