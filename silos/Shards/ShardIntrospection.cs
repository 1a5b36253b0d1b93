using Monolith.Contracts.Grains;
using Monolith.Embeddings;

namespace Monolith.Silos.Shards;

/// <summary>What tables say of themselves, as it leaves the shard.</summary>
internal static class ShardIntrospection
{
    public static RowReport Of(IdReport report) => new(
        report.Id,
        report.Standing switch
        {
            IdStanding.Present => RowStanding.Present,
            IdStanding.Refused => RowStanding.Refused,
            IdStanding.Gone => Of(report.Departure!.Value.Why),
            _ => RowStanding.Unknown,
        },
        report.LastSeconds is { } seconds ? At(seconds) : null,
        report.Occurrences,
        [.. report.Values],
        report.Departure is { } left ? new RowDeparture(Of(left.Why), At(left.EventSeconds), At(left.LastSeconds), left.Occurrences) : null);

    public static TableReport Of(string table, TableStatistics statistics) => new(
        table,
        statistics.Rows,
        new Dictionary<string, long>
        {
            ["rows"] = statistics.RowBytes,
            ["values"] = statistics.ValueBytes,
            ["index"] = statistics.IndexBytes,
            ["filter"] = statistics.FilterBytes,
            ["changes"] = statistics.ChangeBytes,
        },
        statistics.Load,
        statistics.FirstBucketShare,
        statistics.SubTables,
        statistics.Growths,
        statistics.GrowthsWaiting,
        statistics.Evicted,
        [.. statistics.RowsByAge],
        [.. statistics.RowsByOccurrences]);

    private static RowStanding Of(Leaving why) => why switch
    {
        Leaving.Expired => RowStanding.Expired,
        Leaving.Evicted => RowStanding.Evicted,
        _ => RowStanding.Deleted,
    };

    private static DateTimeOffset At(uint seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);
}
