using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Hosting;

/// <summary>An address that the HTTP API listens on.</summary>
/// <param name="Url">As the web server takes it.</param>
/// <param name="Address">The IP address; loopback for <c>localhost</c>, any for <c>*</c>.</param>
/// <param name="Port">The port; 0: a free one.</param>
internal sealed record ListeningAddress(string Url, IPAddress Address, int Port)
{
    /// <summary>Whether other machines may reach it.</summary>
    public bool IsOpen => !IPAddress.IsLoopback(Address);
}

/// <summary>What the HTTP API listens on.</summary>
internal static class Listening
{
    private const string Scheme = "http://";
    private const int DefaultPort = 80;

    /// <summary>
    /// Reads the addresses. The web server takes a host that it does not know for every interface, so a mistyped host would
    /// open the service to the network: every interface must be asked for as <c>*</c>, <c>0.0.0.0</c> or <c>[::]</c>.
    /// </summary>
    /// <param name="urls">Such as <c>http://127.0.0.1:5080</c>; several are separated by semicolons.</param>
    /// <exception cref="UsageException">One is not an address that this machine can listen on.</exception>
    public static IReadOnlyList<ListeningAddress> Parse(string urls)
    {
        ArgumentNullException.ThrowIfNull(urls);
        var found = urls.Split(';', StringSplitOptions.TrimEntries).Select(Read).ToList();
        var twice = found.Where(a => a.Port > 0).GroupBy(a => (a.Address, a.Port)).FirstOrDefault(same => same.Count() > 1);
        return twice is null ? found : throw new UsageException($"--urls is '{urls}': {twice.First().Url} is there twice");
    }

    /// <summary>
    /// Looks before anything is started: the web server is the last to start, and a silo that has to be taken down again
    /// fills the screen with what is not the matter.
    /// </summary>
    /// <exception cref="HostStartException">The port is taken, or needs rights that the process does not have.</exception>
    public static void RequireFree(ListeningAddress address)
    {
        if (address.Port == 0)
        {
            return;
        }

        try
        {
            using var probe = new TcpListener(address.Address, address.Port);
            probe.Start();
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse)
        {
            throw InUse(address.Url, exception);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AccessDenied)
        {
            throw new HostStartException(
                $"{address.Url}: this process may not listen on port {address.Port}: choose one of 1024 or more with --urls", exception);
        }
    }

    /// <summary>What is said of a taken port.</summary>
    public static HostStartException InUse(string url, Exception cause) =>
        new($"{url} is in use by another program: stop that program, or listen elsewhere with --urls", cause);

    private static ListeningAddress Read(string url)
    {
        UsageException Wrong(string what) => new(
            $"--urls is '{url}': {what}; allowed is http://HOST:PORT, such as http://127.0.0.1:5080, several separated by semicolons");

        if (url.StartsWith("https:", StringComparison.OrdinalIgnoreCase))
        {
            throw Wrong("there is no certificate here, TLS belongs to a proxy in front");
        }

        if (!url.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            throw Wrong("it does not begin with http://");
        }

        var authority = url[Scheme.Length..];
        authority = authority.EndsWith('/') ? authority[..^1] : authority;
        if (authority.AsSpan().ContainsAny("/?#@"))
        {
            throw Wrong("it has more than a host and a port");
        }

        var (host, port) = (authority, DefaultPort);
        if (authority.LastIndexOf(':') is var colon && colon > authority.LastIndexOf(']'))
        {
            host = authority[..colon];
            if (!NetworkAddress.TryPort(authority.AsSpan(colon + 1), out port))
            {
                throw Wrong($"'{authority[(colon + 1)..]}' is not a port from 0 to 65535");
            }
        }

        return new ListeningAddress($"{Scheme}{host}:{port}", AddressOf(host, port, Wrong), port);
    }

    private static IPAddress AddressOf(string host, int port, Func<string, UsageException> wrong)
    {
        if (host == "*")
        {
            return IPAddress.IPv6Any;
        }

        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            return port > 0 ? IPAddress.Loopback : throw wrong("port 0, a free one, needs an IP address: http://127.0.0.1:0");
        }

        var isBracketed = host is ['[', .., ']'];
        var own = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address).Distinct().ToArray();
        if (!IPAddress.TryParse(isBracketed ? host[1..^1] : host, out var address)
            || isBracketed != (address.AddressFamily == AddressFamily.InterNetworkV6))
        {
            throw wrong($"'{host}' is not an IP address, localhost or * (every interface)");
        }

        // 0, 127.1 and 0x7f000001 are addresses too, but hardly what was meant.
        if (!isBracketed && address.ToString() != host)
        {
            throw wrong($"'{host}' must be written in full, as {address}");
        }

        return address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || IPAddress.IsLoopback(address) || own.Contains(address)
            ? address
            : throw wrong($"'{host}' is not an address of this machine, which has {string.Join(", ", own.AsEnumerable())}");
    }
}
