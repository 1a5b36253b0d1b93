using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Garnet;
using Garnet.common;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Monolith.Silos.Redis;

/// <summary>
/// A Redis-compatible server (Garnet) inside this process, reached over loopback like any other: what the single-process
/// default and the tests use instead of an installed one. It keeps everything in memory and nothing on disk: parameters are
/// saved by snapshots, and what travels through Redis is made again when it is gone.
/// </summary>
public sealed class EmbeddedRedis : IDisposable
{
    private const int PortAttempts = 100;
    private const int StartAttempts = 5;

    // Deltas fill it in minutes, and the replica beside it reads each within milliseconds: little is enough.
    private const long LeastMemory = 16 << 20;
    private const int DenseCopies = 4;
    private readonly GarnetServer _server;

    private EmbeddedRedis(GarnetServer server, int port)
    {
        _server = server;
        Port = port;
    }

    /// <summary>The port it listens on, loopback only.</summary>
    public int Port { get; }

    /// <summary>For StackExchange.Redis.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Starts a server.</summary>
    /// <param name="port">A port; 0 takes a free one.</param>
    /// <param name="denseBytes">
    /// Size of the dense parameters, which all have to fit. The memory for keys and values is 16 MiB, or four times this size if
    /// that is more. The oldest go first when it is full: a replica that still needed such a delta starts again from the snapshot.
    /// </param>
    /// <param name="loggers">Hears warnings and worse; null: silent.</param>
    /// <exception cref="IOException">The port is in use.</exception>
    public static EmbeddedRedis Start(int port = 0, long denseBytes = 0, ILoggerFactory? loggers = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            var chosen = port == 0 ? FreePort() : port;
            try
            {
                return StartOn(chosen, Math.Max(LeastMemory, DenseCopies * denseBytes), loggers ?? NullLoggerFactory.Instance);
            }
            catch (Exception e) when (IsPortTaken(e) && (port != 0 || attempt == StartAttempts))
            {
                throw new IOException($"The embedded Redis server cannot listen on 127.0.0.1:{chosen}: the port is in use.", e);
            }
            catch (Exception e) when (IsPortTaken(e))
            {
                // Somebody else took the free port first: take another.
            }
        }
    }

    /// <summary>
    /// A loopback port that nobody listens on just now; drawn below the range from which systems give ports to outgoing
    /// connections, or one of those would often have it by the time it is listened on.
    /// </summary>
    public static int FreePort()
    {
        for (var attempt = 0; attempt < PortAttempts; attempt++)
        {
            var port = RandomNumberGenerator.GetInt32(20_000, 32_000);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: draw again.
            }
        }

        throw new IOException($"None of {PortAttempts} loopback ports drawn from 20000 to 31999 was free.");
    }

    /// <inheritdoc/>
    public void Dispose() => _server.Dispose();

    private static bool IsPortTaken(Exception e) =>
        e is SocketException || (e is GarnetException && e.InnerException is SocketException);

    private static EmbeddedRedis StartOn(int port, long memory, ILoggerFactory loggers)
    {
        string[] arguments =
        [
            "--bind", "127.0.0.1",
            "--port", port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "--memory", memory.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "--page", "1m", // longer than any value (Delta.PieceBytes)
            "--index", "1m",
            "--lua", "true",
            "--disable-console-logger", "true",
            "-q", "true",
            "--logger-level", "Error",
        ];
        var server = new GarnetServer(arguments, loggers);
        try
        {
            server.Start();
            return new EmbeddedRedis(server, port);
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }
}
