using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Hosting;

namespace Monolith.Standalone.Tests.Hosting;

public sealed class ListeningTests
{
    [Theory]
    [InlineData("http://127.0.0.1:5080", "127.0.0.1", 5080)]
    [InlineData("http://127.0.0.1:0", "127.0.0.1", 0)]
    [InlineData("HTTP://LocalHost:80/", "127.0.0.1", 80)]
    [InlineData("http://127.0.0.2", "127.0.0.2", 80)]
    [InlineData("http://[::1]:5080", "::1", 5080)]
    public void Addresses_of_this_machine_are_taken(string url, string address, int port)
    {
        var found = Assert.Single(Listening.Parse(url));
        Assert.Equal((IPAddress.Parse(address), port, false), (found.Address, found.Port, found.IsOpen));
    }

    [Theory]
    [InlineData("http://*:5080")]
    [InlineData("http://0.0.0.0:5080")]
    [InlineData("http://[::]:5080")]
    public void Every_interface_is_had_by_asking_for_it(string url) => Assert.True(Assert.Single(Listening.Parse(url)).IsOpen);

    [Fact]
    public void Several_addresses_are_separated_by_semicolons_and_those_of_the_network_are_known()
    {
        Assert.Equal([5080, 5081], Listening.Parse("http://127.0.0.1:5080; http://localhost:5081").Select(a => a.Port));
        Assert.Throws<UsageException>(() => Listening.Parse("http://127.0.0.1:5080;http://localhost:5080"));
        Assert.Throws<UsageException>(() => Listening.Parse("http://127.0.0.1:5080;"));
        var network = NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address).FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(a));
        Assert.SkipWhen(network is null, "this machine has no address but loopback");
        Assert.True(Assert.Single(Listening.Parse($"http://{network}:5080")).IsOpen);
    }

    [Theory]
    [InlineData("http://127.0.0.l:5080", "'127.0.0.l' is not an IP address, localhost or *")]
    [InlineData("http://no.such.host.invalid:5080", "'no.such.host.invalid' is not an IP address")]
    [InlineData("http://+:5080", "'+' is not an IP address")]
    [InlineData("http://:5080", "'' is not an IP address")]
    [InlineData("http://::1:5080", "'::1' is not an IP address")]
    [InlineData("http://[127.0.0.1]:5080", "'[127.0.0.1]' is not an IP address")]
    [InlineData("http://192.0.2.7:5080", "'192.0.2.7' is not an address of this machine, which has ")]
    [InlineData("http://[::ffff:0.0.0.0]:5080", "is not an address of this machine")]
    [InlineData("http://0:5080", "'0' must be written in full, as 0.0.0.0")]
    [InlineData("http://127.1:5080", "'127.1' must be written in full, as 127.0.0.1")]
    [InlineData("http://0x7f000001:5080", "must be written in full")]
    [InlineData("http://127.0.0.1:65536", "'65536' is not a port")]
    [InlineData("http://127.0.0.1:-1", "'-1' is not a port")]
    [InlineData("http://127.0.0.1:", "'' is not a port")]
    [InlineData("http://127.0.0.1:5080/v1", "more than a host and a port")]
    [InlineData("http://127.0.0.1:5080?a", "more than a host and a port")]
    [InlineData("http://ann@127.0.0.1:5080", "more than a host and a port")]
    [InlineData("http://localhost:0", "port 0, a free one, needs an IP address")]
    [InlineData("https://127.0.0.1:5080", "there is no certificate here")]
    [InlineData("127.0.0.1:5080", "does not begin with http://")]
    [InlineData("localhost:5080", "does not begin with http://")]
    [InlineData("unix:/tmp/a", "does not begin with http://")]
    [InlineData("", "does not begin with http://")]
    public void Whatever_else_is_a_mistake_of_the_command_line_before_anything_starts(string url, string says)
    {
        var mistake = Assert.Throws<UsageException>(() => Listening.Parse(url));
        Assert.StartsWith($"--urls is '{url}': ", mistake.Message, StringComparison.Ordinal);
        Assert.Contains(says, mistake.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kafka:9092", true)]
    [InlineData("kafka-0.kafka.svc.cluster.local:9092", true)]
    [InlineData("127.0.0.1:1", true)]
    [InlineData("kafka_1:9092", true)]
    [InlineData("[::1]:65535", true)]
    [InlineData("http://kafka:9092", false)]
    [InlineData("redis://kafka:9092", false)]
    [InlineData("kafka:9092/topic", false)]
    [InlineData("kafka/a:9092", false)]
    [InlineData("kafka", false)]
    [InlineData("kafka:0", false)]
    [InlineData("kafka:+1", false)]
    [InlineData("kafka: 1", false)]
    [InlineData("kafka:65536", false)]
    [InlineData("::1:9092", false)]
    [InlineData("[::1:9092", false)]
    [InlineData("a b:9092", false)]
    [InlineData(":9092", false)]
    public void Another_machines_address_is_a_host_and_a_port_and_nothing_else(string text, bool allowed) =>
        Assert.Equal(allowed, NetworkAddress.IsHostAndPort(text));
}
