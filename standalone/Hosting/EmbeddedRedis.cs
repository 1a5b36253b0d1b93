using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Garnet;
using Microsoft.Extensions.Logging;

namespace Monolith.Standalone.Hosting;

/// <summary>
/// A Garnet server inside this process, reached over loopback like any Redis. It keeps nothing on disk: deltas and heads are
/// published anew when shards start, and replicas load from snapshots.
/// </summary>
internal sealed class EmbeddedRedis : IDisposable
{
    private const int Attempts = 10;
    private readonly GarnetServer _server;

    private EmbeddedRedis(GarnetServer server, int port)
    {
        _server = server;
        Port = port;
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Address for StackExchange.Redis.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Starts a server on a free port.</summary>
    public static EmbeddedRedis Start(ILoggerFactory loggers)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            GarnetServer? server = null;
            try
            {
                string[] arguments =
                [
                    "--bind", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture),
                    "--memory", "256m", "--page", "4m", "--index", "16m", "-q",
                ];
                server = new GarnetServer(arguments, loggers);
                server.Start();
                return new EmbeddedRedis(server, port);
            }
            catch (Exception exception) when (attempt < Attempts && exception.GetBaseException() is SocketException)
            {
                // Somebody else took the port between looking and listening.
                server?.Dispose();
            }
        }
    }

    /// <summary>Stops the server; what it held is gone.</summary>
    public void Dispose() => _server.Dispose();

    /// <summary>A port of 127.0.0.1 that nobody listens on now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
