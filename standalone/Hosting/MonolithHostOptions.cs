using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;

namespace Monolith.Standalone.Hosting;

/// <summary>One process with everything in it.</summary>
public sealed record MonolithHostOptions
{
    /// <summary>The model.</summary>
    public required ModelSpec Spec { get; init; }

    /// <summary>The data folder; the caller opens it before and disposes it after.</summary>
    public required DataFolder Folder { get; init; }

    /// <summary>Real servers to use; embedded parts by default.</summary>
    public ServerOptions Servers { get; init; } = ServerOptions.Embedded;

    /// <summary>What the HTTP API listens on, several separated by semicolons; port 0 takes a free one.</summary>
    public string Urls { get; init; } = "http://127.0.0.1:0";

    /// <summary>Trainer workers.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>Partitions of the topics; fixed when they are created.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Where the log goes; nowhere by default.</summary>
    public Action<ILoggingBuilder> Logging { get; init; } = builder => builder.ClearProviders();
}
