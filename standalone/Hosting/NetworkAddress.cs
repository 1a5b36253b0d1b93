using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Monolith.Standalone.Hosting;

/// <summary>Addresses of other machines, as options name them.</summary>
internal static class NetworkAddress
{
    /// <summary>A port, in digits only.</summary>
    public static bool TryPort(ReadOnlySpan<char> text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= IPEndPoint.MaxPort;

    /// <summary>
    /// Whether a text is <c>HOST:PORT</c>: a host name, an IPv4 address or an IPv6 address in brackets, and a port from
    /// 1.
    /// </summary>
    public static bool IsHostAndPort(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !TryPort(text.AsSpan(colon + 1), out var port) || port == 0)
        {
            return false;
        }

        var host = text[..colon];
        return host is ['[', .. var inner, ']']
            ? IPAddress.TryParse(inner, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
            : Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4;
    }
}
