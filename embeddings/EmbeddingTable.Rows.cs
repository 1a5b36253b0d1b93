using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <summary>A row as it lies in memory.</summary>
/// <param name="id">Its id.</param>
/// <param name="seconds">Newest event time.</param>
/// <param name="occurrences">Occurrences learned from.</param>
/// <param name="bytes">Values and state.</param>
internal delegate void RowReader(ulong id, uint seconds, int occurrences, ReadOnlySpan<byte> bytes);

/// <content>Reading all rows, for tests and tools.</content>
public sealed unsafe partial class EmbeddingTable
{
    internal void ForEachRow(RowReader reader) => _index.ForEach((id, row) => reader(
        id,
        _layout.Trains ? RowMarks.Seconds(_rows.Side(row)) : 0,
        _layout.Trains ? RowMarks.Occurrences(_rows.Side(row)) : 0,
        new ReadOnlySpan<byte>(_rows.Address(row), _layout.RowBytes)));
}
