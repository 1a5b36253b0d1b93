using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Monolith.Standalone.Hosting;

/// <summary>
/// Limits of connections and of what is read from them before a route sees the request. Bodies have further ones
/// (<see cref="Monolith.Http.BodyLimits"/>).
/// </summary>
public static class HttpLimits
{
    /// <summary>Connections at once: 4,096. A further one is closed at once.</summary>
    public const int MaxConnections = 4096;

    /// <summary>Bytes of a body on a route that has no limit of its own: 8 MiB.</summary>
    public const int MaxBodyBytes = 8 << 20;

    /// <summary>Bytes of one connection that are read before the route asks for them: 128 KiB.</summary>
    public const int MaxReadAheadBytes = 128 << 10;

    /// <summary>How long the headers of a request may take to arrive: 10 s.</summary>
    public static readonly TimeSpan MaxHeaderTime = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may wait for its next request: 2 min.</summary>
    public static readonly TimeSpan MaxIdleTime = TimeSpan.FromMinutes(2);

    /// <summary>A body must arrive with at least 1 KiB/s, after 5 s; an answer must be read as fast.</summary>
    public static readonly MinDataRate MinRate = new(bytesPerSecond: 1024, gracePeriod: TimeSpan.FromSeconds(5));

    /// <summary>Sets them.</summary>
    public static void Apply(KestrelServerOptions server)
    {
        ArgumentNullException.ThrowIfNull(server);
        var limits = server.Limits;
        limits.MaxConcurrentConnections = MaxConnections;
        limits.MaxRequestBodySize = MaxBodyBytes;
        limits.MaxRequestBufferSize = MaxReadAheadBytes;
        limits.RequestHeadersTimeout = MaxHeaderTime;
        limits.KeepAliveTimeout = MaxIdleTime;
        limits.MinRequestBodyDataRate = MinRate;
        limits.MinResponseDataRate = MinRate;
    }
}
