using Monolith.Contracts.Specification;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings.Tests.Rows;

public sealed class ServingCodecTests
{
    [Fact]
    public void Each_segment_travels_in_its_own_precision()
    {
        var table = Specs.Table(
            Specs.Segment(1, new SgdOptimizer()),
            Specs.Segment(3, new SgdOptimizer()) with { ServingPrecision = RowPrecision.Float16 },
            Specs.Segment(2, new SgdOptimizer()) with { ServingPrecision = RowPrecision.BFloat16 });
        var codec = new ServingCodec(table);
        Assert.Equal(4 + 6 + 4, codec.RowBytes);
        float[] values = [0.1f, 0.1f, -2, 1e9f, 0.1f, 1e9f, -7, 0, 1, 2, 3, 4];
        var bytes = new byte[28];
        codec.Encode(values, bytes);
        var back = new float[12];
        codec.Decode(bytes, back);
        Assert.Equal(0.1f, back[0]);
        Assert.Equal([(float)(Half)0.1f, -2f, 65504f], back[1..4]);
        Assert.Equal([0.10009766f, 1e9f], back[4..6], (a, b) => MathF.Abs(a - b) <= MathF.Abs(a) / 256);
        Assert.Equal(values[6..], back[6..]);
        Assert.Throws<ArgumentException>(() => codec.Encode(values, new byte[27]));
    }
}
