using Monolith.Embeddings.Index;
using Monolith.Embeddings.Rows;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings;

/// <content>Saving and loading.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Writes all rows and the admission filter; several tables may follow each other in one stream.</summary>
    public void Save(Stream stream)
    {
        var writer = new SnapshotWriter(stream);
        writer.Header(Spec, _initializer.Seed, _layout, _content, _newestEventSeconds, Count);
        Span<IndexEntry> entries = stackalloc IndexEntry[256];
        var cursor = new SweepCursor { Generation = -1 };
        bool wrapped;
        do
        {
            var read = _index.Read(ref cursor, entries, out wrapped);
            for (var i = 0; i < read; i++)
            {
                var address = _rows.Address(entries[i].Row);
                for (var at = 0; at < _layout.RowBytes; at += 64)
                {
                    CuckooIndex.Prefetch(address + at);
                }
            }

            for (var i = 0; i < read; i++)
            {
                var row = entries[i].Row;
                writer.Row(
                    entries[i].Id,
                    _layout.Trains ? RowMarks.Seconds(_rows.Side(row)) : 0,
                    new ReadOnlySpan<float>(_rows.Address(row), _layout.RowBytes / sizeof(float)));
            }
        }
        while (!wrapped);

        if (_filter is not null)
        {
            writer.Filter(_filter);
        }

        writer.End();
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into an empty table of the same layout.</summary>
    /// <exception cref="InvalidDataException">The snapshot is damaged or of another table; the message says how.</exception>
    public void Load(Stream stream)
    {
        if (Count > 0)
        {
            throw new InvalidOperationException($"table '{Spec.Name}' holds {Count} rows; a snapshot is loaded into an empty one");
        }

        var ids = new IdLog();
        try
        {
            SnapshotReader.Read(
                stream, Spec, _initializer.Seed, _layout, _filter, (id, seconds, floats) =>
                {
                    var row = Insert(id);
                    ids.Add(id);
                    if (_layout.Trains)
                    {
                        RowMarks.Set(_rows.Side(row), seconds, 0, 0);
                    }

                    floats[..(_layout.RowBytes / sizeof(float))].CopyTo(new Span<float>(_rows.Address(row), _layout.RowBytes / sizeof(float)));
                    if (ids.Count % 512 == 0)
                    {
                        EndUpdate(512);
                    }
                },
                newest => _newestEventSeconds = newest);
        }
        catch
        {
            // Nothing of a damaged snapshot stays.
            for (var i = 0; i < ids.Count; i++)
            {
                Remove(ids[i]);
            }

            _deletedIds.Clear();
            throw;
        }
        finally
        {
            EndUpdate(0);
        }
    }
}
