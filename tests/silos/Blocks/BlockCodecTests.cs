using System.Buffers;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Orleans.Serialization;

namespace Monolith.Silos.Tests.Blocks;

public sealed class BlockCodecTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private Serializer Serializer => _services.GetRequiredService<Serializer>();

    public void Dispose() => _services.Dispose();

    [Fact]
    public void A_block_survives_the_round_trip_whatever_its_length() =>
        Gen.Byte.Array[0, 5000].Sample(bytes =>
        {
            using var block = Block.Of<byte>(bytes);
            using var read = Serializer.Deserialize<Block>(Serializer.SerializeToArray(block))!;
            Assert.True(read.Bytes.SequenceEqual(bytes));
        });

    [Fact]
    public void A_block_survives_segments_of_every_size() =>
        Gen.Select(Gen.Byte.Array[0, 2000], Gen.Int[1, 300]).Sample((bytes, segment) =>
        {
            using var block = Block.Of<byte>(bytes);
            var read = Serializer.Deserialize<Block>(Cut(Serializer.SerializeToArray(block), segment))!;
            Assert.True(read.Bytes.SequenceEqual(bytes));
        });

    [Fact]
    public void A_message_keeps_every_block_also_when_several_are_the_same_empty_one()
    {
        var span = new PartitionSpan("examples/3", 7, 10, 20, 99);
        var push = new GradientPush(
            span, [2, 0], Block.Of<ulong>([1, ulong.MaxValue]), Block.Of<float>([0.5f, -1, 2, 3]), Block.Empty, Block.Empty);
        var read = Serializer.Deserialize<GradientPush>(Serializer.SerializeToArray(push))!;
        Assert.Equal(span, read.Span);
        Assert.Equal([2, 0], read.Counts);
        Assert.Equal([1, ulong.MaxValue], read.Ids.As<ulong>().ToArray());
        Assert.Equal([0.5f, -1, 2, 3], read.Gradients.As<float>().ToArray());
        Assert.Equal(0, read.Occurrences.Length);
        Assert.Equal(0, read.EventTimes.Length);
    }

    [Fact]
    public void A_message_that_carries_one_block_twice_reads_as_one_block()
    {
        var ids = Block.Of<ulong>([5]);
        var push = new GradientPush(default, [1], ids, ids, Block.Empty, Block.Empty);
        var read = Serializer.Deserialize<GradientPush>(Serializer.SerializeToArray(push))!;
        Assert.Same(read.Ids, read.Gradients);
        Assert.Equal(5ul, read.Ids.As<ulong>()[0]);
    }

    [Fact]
    public void A_truncated_block_is_refused()
    {
        using var block = Block.Of<byte>(new byte[100]);
        var bytes = Serializer.SerializeToArray(block);
        Assert.ThrowsAny<Exception>(() => Serializer.Deserialize<Block>(bytes.AsSpan(0, 50).ToArray()));
    }

    [Fact]
    public void Inside_a_process_blocks_and_their_messages_are_handed_over_not_copied()
    {
        var copier = _services.GetRequiredService<DeepCopier>();
        using var block = Block.Of<float>([1, 2]);
        Assert.Same(block, copier.Copy(block));
        var request = new LookupRequest([1], block);
        Assert.Same(request, copier.Copy(request));
    }

    private static ReadOnlySequence<byte> Cut(byte[] bytes, int segment)
    {
        var first = new Segment(bytes.AsMemory(0, Math.Min(segment, bytes.Length)), 0);
        var last = first;
        for (var at = segment; at < bytes.Length; at += segment)
        {
            last = last.Append(bytes.AsMemory(at, Math.Min(segment, bytes.Length - at)));
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
