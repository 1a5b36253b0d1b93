using Monolith.Contracts.Grains;

namespace Monolith.Trainer.Parts;

/// <summary>
/// Takes a partition over at every part, by the rule of <see cref="PartitionClaim"/>: read all epochs, claim a larger one
/// everywhere. Whoever has all grants holds it; what was sent under an older epoch is refused from then on.
/// </summary>
/// <param name="parts">All parts.</param>
/// <param name="time">For the wait between attempts.</param>
/// <param name="random">Spreads the attempts of rivals.</param>
internal sealed class Ballot(ModelParts parts, TimeProvider time, Random random)
{
    private const int MostAttempts = 10;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(50);

    /// <summary>Claims a partition and learns where every part stands.</summary>
    /// <returns>False if another worker has taken it over from us: it is to be given up.</returns>
    /// <exception cref="TimeoutException">Rivals kept claiming it at the same moments.</exception>
    public async Task<bool> Take(OwnedPartition partition, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var seen = (await Ask(partition.Name, 0)).Max(r => r.Epoch);
            if (partition.Epoch > 0 && seen > partition.HighestClaim)
            {
                return false;
            }

            var epoch = partition.HighestClaim = seen + 1;
            var replies = await Ask(partition.Name, epoch);
            if (Array.TrueForAll(replies, r => r.Granted))
            {
                partition.Begin(epoch, replies.Select(r => r.AppliedThrough));
                return true;
            }

            await Task.Delay(LongestWait * random.NextDouble(), time, cancellation);
        }

        throw new TimeoutException($"{partition.Name} was claimed by others at the same moment, {MostAttempts} times in a row");
    }

    private Task<ClaimReply[]> Ask(string partition, long epoch) =>
        Task.WhenAll(parts.All.Select(p => p.Claim(new PartitionClaim(partition, epoch)).AsTask()));
}
