using System.Net;
using System.Net.Sockets;

namespace Monolith.Standalone.Hosting;

/// <summary>Whether the address of the HTTP API is free.</summary>
internal static class Listening
{
    /// <summary>
    /// Looks before anything is started: the web server is the last to start, and a silo that has to be taken down again
    /// fills the screen with what is not the matter.
    /// </summary>
    /// <exception cref="HostStartException">The port is taken.</exception>
    public static void RequireFree(string url)
    {
        var address = new Uri(url);
        if (address.Port == 0)
        {
            return;
        }

        var host = IPAddress.TryParse(address.Host, out var ip) ? ip : address.Host == "localhost" ? IPAddress.Loopback : IPAddress.Any;
        try
        {
            using var probe = new TcpListener(host, address.Port);
            probe.Start();
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse)
        {
            throw InUse(url, exception);
        }
    }

    /// <summary>What is said of a taken port.</summary>
    public static HostStartException InUse(string url, Exception cause) =>
        new($"{url} is in use by another program: stop that program, or listen elsewhere with --urls", cause);
}
