using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Garnet;
using StackExchange.Redis;

namespace Monolith.Serving.Tests.Support;

/// <summary>A real Redis-compatible server in the test's process, and a connection to it.</summary>
public sealed class EmbeddedGarnet : IDisposable
{
    private readonly GarnetServer _server;

    public EmbeddedGarnet()
    {
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            Address = $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture)}";
        }

        _server = new GarnetServer(
            ["--bind", "127.0.0.1", "--port", Address.Split(':')[1], "--memory", "64m", "--page", "4m", "--index", "1m", "-q"]);
        _server.Start();
        Connection = ConnectionMultiplexer.Connect(Address);
    }

    public string Address { get; }

    public ConnectionMultiplexer Connection { get; }

    public void Dispose()
    {
        Connection.Dispose();
        _server.Dispose();
    }
}
