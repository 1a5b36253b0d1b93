using CsCheck;
using Monolith.Events.Embedded;

namespace Monolith.Events.Tests.Embedded;

public sealed class BatchCodecTests
{
    /// <summary>Lengths on both sides of where a length takes a byte more.</summary>
    private static readonly Gen<byte[]> Bytes =
        from length in Gen.Frequency((6, Gen.Int[0, 200]), (2, Gen.Int[16_380, 16_390]), (1, Gen.Int[30_000, 40_000]), (1, Gen.Int[2_097_150, 2_097_154]))
        from fill in Gen.Byte
        select Enumerable.Repeat(fill, length).ToArray();

    private static readonly Gen<NewRecord> Records =
        from key in Gen.Frequency((9, Gen.Byte.Array[0, 5]), (1, Bytes))
        from value in Bytes
        from headers in Gen.Select(Gen.String[0, 150], Gen.Byte.Array[0, 150], (name, bytes) => new EventHeader(Paired(name), bytes)).Array[0, 3]
        select new NewRecord("t", 0, key, value) { Headers = headers };

    [Fact]
    public void Records_take_the_bytes_that_were_counted_and_are_read_and_skipped_as_they_were_written()
        => Records.Array[1, 4].Sample(
            records =>
            {
                var batch = new byte[BatchCodec.HeaderBytes + records.Sum(r => BatchCodec.Size(r))];
                BatchCodec.WriteHeader(batch, records.Length, 7);
                var at = BatchCodec.HeaderBytes;
                foreach (var record in records)
                {
                    var written = BatchCodec.Write(batch.AsSpan(at), record);
                    Assert.Equal(BatchCodec.Size(record), written);
                    at += written;
                }

                Assert.Equal((records.Length, 7), (BatchCodec.Count(batch), BatchCodec.AppendTimeMs(batch)));
                int read = BatchCodec.HeaderBytes, skipped = BatchCodec.HeaderBytes;
                foreach (var record in records)
                {
                    BatchCodec.Skip(batch, ref skipped);
                    var back = BatchCodec.Read(batch, ref read, 3, 7);
                    Assert.Equal(skipped, read);
                    Assert.True(back.Key.Span.SequenceEqual(record.Key.Span) && back.Value.Span.SequenceEqual(record.Value.Span));
                    Assert.Equal(record.Headers!.Select(h => (h.Name, Convert.ToHexString(h.Value.Span))), (back.Headers ?? []).Select(h => (h.Name, Convert.ToHexString(h.Value.Span))));
                }

                return read == batch.Length;
            },
            iter: 200);

    // Half of a pair of surrogates is no text.
    private static string Paired(string text) => new([.. text.Where(c => !char.IsSurrogate(c))]);
}
