using System.Buffers;
using Monolith.Contracts.Sync;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Sync;

public sealed class SnapshotFileTests : IDisposable
{
    private static readonly SnapshotHeader Header = new()
    {
        Model = "m",
        Part = "shard-3",
        Epoch = 1_700_000_000_000,
        Sequence = 42,
        WatermarkMs = 77,
        TakenMs = 88,
        Layout = ["shards 8", "table main: 1 ftrl, 16 adagrad"],
        Stream = "examples",
        Partitions = [new("examples/0", 3, 1000, 77), new("replay:ä \"b\".csv/0", 1, 5, 6)],
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_read_is_what_was_written()
    {
        byte[] body = [1, 2, 3, 4, 5];
        var path = _folder.File("a.snap");
        SnapshotFile.Write(path, Header, new ReadOnlySequence<byte>(body));
        using var file = SnapshotFile.Open(path);
        Assert.Equal(Header.Partitions, file.Header.Partitions);
        Assert.Equal(Header.Layout, file.Header.Layout);
        Assert.Equal(Header with { Partitions = [], Layout = [] }, file.Header with { Partitions = [], Layout = [] });
        var read = new byte[5];
        file.Body.ReadExactly(read);
        Assert.Equal(body, read);
        file.RequireEnd();
    }

    [Fact]
    public void Reading_too_little_or_too_much_of_the_body_is_an_error()
    {
        var path = _folder.File("a.snap");
        SnapshotFile.Write(path, Header, new ReadOnlySequence<byte>([1, 2, 3]));
        using var file = SnapshotFile.Open(path);
        file.Body.ReadExactly(new byte[2]);
        Assert.Throws<InvalidDataException>(file.RequireEnd);
        file.Body.ReadExactly(new byte[2]);
        Assert.Throws<InvalidDataException>(file.RequireEnd);
    }

    [Fact]
    public void Any_flipped_bit_and_any_torn_end_is_refused()
    {
        var good = _folder.File("good.snap");
        SnapshotFile.Write(good, Header, new ReadOnlySequence<byte>(new byte[100]));
        var bytes = File.ReadAllBytes(good);
        var bad = _folder.File("bad.snap");
        for (var at = 0; at < bytes.Length; at++)
        {
            var copy = (byte[])bytes.Clone();
            copy[at] ^= 0x10;
            File.WriteAllBytes(bad, copy);
            Assert.Throws<InvalidDataException>(() => SnapshotFile.Open(bad));
            File.WriteAllBytes(bad, bytes[..at]);
            Assert.Throws<InvalidDataException>(() => SnapshotFile.Open(bad));
        }
    }

    [Fact]
    public void A_write_that_fails_half_way_leaves_nothing()
    {
        var path = Path.Combine(_folder.Path, "full.snap");
        using var broken = new FullDisk();
        Assert.Throws<IOException>(
            () => SnapshotFile.Write(path, Header, new ReadOnlySequence<byte>(new byte[200_000]), new ReadOnlySequence<byte>(broken.Memory)));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    // Its bytes cannot be had, as if writing them had failed.
    private sealed class FullDisk : MemoryManager<byte>
    {
        public override Memory<byte> Memory => CreateMemory(10);

        public override Span<byte> GetSpan() => throw new IOException("no space left");

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin() => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
        }
    }
}
