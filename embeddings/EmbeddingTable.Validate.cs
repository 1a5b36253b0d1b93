using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <content>The whole-structure validator.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>
    /// Walks index and rows and throws at the first thing that is not as it must be. Takes time and memory in proportion to
    /// the table: for tests and for a doubting operator.
    /// </summary>
    /// <exception cref="InvalidOperationException">Something is broken; the message says what.</exception>
    public void Validate()
    {
        ThrowIfDisposed();
        var rows = new HashSet<uint>((int)Math.Min(int.MaxValue, Count));
        _index.Validate((id, row) =>
        {
            if (!rows.Add(row))
            {
                throw new InvalidOperationException($"the table is broken: row {row} belongs to id {id} and to another");
            }

            if (_layout.Trains && RowMarks.Seconds(_rows.Side(row)) > _newestEventSeconds)
            {
                throw new InvalidOperationException($"the table is broken: id {id} is newer than the newest event");
            }
        });
        if (_rows.Live != rows.Count)
        {
            throw new InvalidOperationException($"the table is broken: {_rows.Live} rows are taken and {rows.Count} belong to ids");
        }
    }
}
