using Monolith.Contracts.Specification;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings.Snapshots;

/// <summary>A row as a snapshot keeps it: as it lay in memory.</summary>
/// <param name="Values">How its values are kept.</param>
/// <param name="ValueBytes">Bytes of its values, rounded up to a multiple of four; state follows.</param>
/// <param name="Bytes">All its bytes.</param>
internal readonly record struct StoredRow(RowCodec Values, int ValueBytes, int Bytes)
{
    /// <summary>The rows of a snapshot.</summary>
    public static StoredRow Of(in SnapshotHeader header)
    {
        var precision = (RowPrecision)header.Precision;
        if (!Enum.IsDefined(precision) || header.Dimension is < 1 or > 1 << 20 || header.StateFloats is < 0 or > 1 << 22)
        {
            throw new InvalidDataException(
                $"the snapshot's rows of {header.Dimension} values, {header.StateFloats} floats of state and precision {header.Precision} are none");
        }

        var codec = new RowCodec(new RowRun(precision, header.Dimension));
        var values = (codec.Bytes + 3) & ~3;
        return new StoredRow(codec, values, values + (header.StateFloats * sizeof(float)));
    }
}
