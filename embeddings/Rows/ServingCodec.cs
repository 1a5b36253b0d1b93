using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Rows;

/// <summary>
/// Rows on their way to replicas: each segment in its serving precision, rounded to the nearest, no padding.
/// </summary>
public sealed unsafe class ServingCodec
{
    private readonly (RowPrecision Precision, int Dimension)[] _segments;

    /// <summary>The codec of a table.</summary>
    public ServingCodec(TableSpec table)
    {
        ArgumentNullException.ThrowIfNull(table);
        _segments = [.. table.Segments.Select(s => (s.ServingPrecision, s.Dimension))];
        Dimension = table.Dimension;
        RowBytes = _segments.Sum(s => s.Dimension * ValueCodec.BytesOf(s.Precision));
    }

    /// <summary>Values a row.</summary>
    public int Dimension { get; }

    /// <summary>Bytes a row.</summary>
    public int RowBytes { get; }

    /// <summary>Encodes rows.</summary>
    /// <param name="values">n × Dimension.</param>
    /// <param name="bytes">n × RowBytes.</param>
    public void Encode(ReadOnlySpan<float> values, Span<byte> bytes)
    {
        var rows = Rows(values.Length, bytes.Length);
        fixed (float* firstValue = values)
        fixed (byte* firstByte = bytes)
        {
            var (from, to) = ((nint)firstValue, (nint)firstByte);
            for (var row = 0; row < rows; row++)
            {
                foreach (var (precision, dimension) in _segments)
                {
                    ValueCodec.WriteNearest(precision, (float*)from, (byte*)to, dimension);
                    from += dimension * sizeof(float);
                    to += dimension * ValueCodec.BytesOf(precision);
                }
            }
        }
    }

    /// <summary>Decodes rows.</summary>
    /// <param name="bytes">n × RowBytes.</param>
    /// <param name="values">n × Dimension.</param>
    public void Decode(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        var rows = Rows(values.Length, bytes.Length);
        fixed (float* firstValue = values)
        fixed (byte* firstByte = bytes)
        {
            var (from, to) = ((nint)firstByte, (nint)firstValue);
            for (var row = 0; row < rows; row++)
            {
                foreach (var (precision, dimension) in _segments)
                {
                    ValueCodec.Read(precision, (byte*)from, (float*)to, dimension);
                    from += dimension * ValueCodec.BytesOf(precision);
                    to += dimension * sizeof(float);
                }
            }
        }
    }

    private int Rows(int values, int bytes) => values % Dimension == 0 && (long)values / Dimension * RowBytes == bytes
        ? values / Dimension
        : throw new ArgumentException($"{values} values and {bytes} bytes are not the same number of rows of {Dimension} values in {RowBytes} bytes");
}
