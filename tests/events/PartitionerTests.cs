using System.Text;
using Monolith.Contracts.Events;

namespace Monolith.Events.Tests;

public sealed class PartitionerTests
{
    // From Kafka's own UtilsTest.testMurmur2.
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_gives_what_Kafkas_Java_client_gives(string key, int hash)
        => Assert.Equal(hash, Partitioner.Murmur2(Encoding.UTF8.GetBytes(key)));

    [Fact]
    public void Text_and_its_bytes_lie_on_the_same_partition_however_long()
    {
        for (var length = 0; length < 600; length += 37)
        {
            var key = new string('é', length);
            Assert.Equal(Partitioner.Of(Encoding.UTF8.GetBytes(key), 7), Partitioner.Of(key, 7));
            Assert.InRange(Partitioner.Of(key, 7), 0, 6);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => Partitioner.Of("k", 0));
    }
}
