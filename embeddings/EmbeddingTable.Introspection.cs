using System.Numerics;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <content>What the table holds and why.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Departures remembered.</summary>
    public const int DeparturesKept = 4096;

    private Departure[]? _departures;
    private long _departed;

    /// <summary>Looks at every row; takes time in proportion to the table.</summary>
    public TableStatistics Statistics()
    {
        ThrowIfDisposed();
        var byAge = new long[12];
        var byOccurrences = new long[13];
        _index.ForEach((_, row) =>
        {
            if (_layout.Trains)
            {
                var minutes = (_newestEventSeconds - RowMarks.Seconds(_rows.Side(row))) / 60;
                byAge[Math.Min(byAge.Length - 1, minutes == 0 ? 0 : 1 + (BitOperations.Log2(minutes) / 2))]++;
                byOccurrences[BitOperations.Log2((uint)RowMarks.Occurrences(_rows.Side(row)) | 1)]++;
            }
        });
        var (sum, least, count) = _index.LoadsAtGrowth;
        return new TableStatistics
        {
            Rows = Count,
            ValueBytes = Count * _layout.RowBytes,
            RowBytes = _rows.Bytes,
            IndexBytes = _index.Bytes,
            FilterBytes = _admission?.Filter?.Bytes ?? 0,
            ChangeBytes = _updatedIds.Bytes + _deletedIds.Bytes + _deletedSinceSnapshot.Bytes,
            Load = (double)_index.Count / _index.Capacity,
            LoadBeforeGrowth = count == 0 ? (0, 0) : (sum / count, least),
            SubTables = _index.SubTables,
            Growths = _index.Growths,
            GrowthsWaiting = _index.Waiting,
            FirstBucketShare = _index.FirstBucketShare(),
            Evicted = Evicted,
            RowsByAge = byAge,
            RowsByOccurrences = byOccurrences,
        };
    }

    /// <summary>Everything known of one id.</summary>
    public IdReport Explain(ulong id)
    {
        var values = new float[Dimension];
        Lookup([id], values);
        var departure = LastDeparture(id);
        if (_index.TryFind(id, out var row))
        {
            return _layout.Trains
                ? new IdReport(id, IdStanding.Present, values, RowMarks.Seconds(_rows.Side(row)), RowMarks.Occurrences(_rows.Side(row)), departure)
                : new IdReport(id, IdStanding.Present, values, null, 0, departure);
        }

        var refused = _admission?.Filter?.Count(id) ?? 0;
        var standing = refused > 0 ? IdStanding.Refused : departure is not null ? IdStanding.Gone : IdStanding.Unknown;
        return new IdReport(id, standing, values, departure?.LastSeconds, refused, departure);
    }

    private Departure? LastDeparture(ulong id)
    {
        for (var i = _departed - 1; i >= Math.Max(0, _departed - DeparturesKept); i--)
        {
            if (_departures![i % DeparturesKept].Id == id)
            {
                return _departures[i % DeparturesKept];
            }
        }

        return null;
    }

    private void NoteDeparture(ulong id, Leaving why, uint row)
    {
        if (_layout.Trains)
        {
            var marks = _rows.Side(row);
            _departures ??= new Departure[DeparturesKept];
            _departures[_departed++ % DeparturesKept] =
                new Departure(id, why, _newestEventSeconds, RowMarks.Seconds(marks), RowMarks.Occurrences(marks));
        }
    }
}
