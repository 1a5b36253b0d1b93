using Monolith.Standalone.Demo.World;
using Monolith.Standalone.Hosting;

namespace Monolith.Standalone.Demo;

/// <summary>What <c>monolith demo</c> was asked for.</summary>
public sealed record DemoOptions
{
    /// <summary>The demo's specification; null: the one that comes with the program.</summary>
    public string? ModelFile { get; init; }

    /// <summary>How long the population acts; null: until interrupted.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>The simulated world: seed, users, items, drift.</summary>
    public WorldOptions World { get; init; } = new();

    /// <summary>Requests a second.</summary>
    public double Rate { get; init; } = 100;

    /// <summary>Kept between runs; null: a temporary folder that is deleted afterwards.</summary>
    public string? DataDir { get; init; }

    /// <summary>Real servers to use; embedded parts by default.</summary>
    public ServerOptions Servers { get; init; } = ServerOptions.Embedded;

    /// <summary>Receives the report; null: none is written.</summary>
    public string? ReportFile { get; init; }

    /// <summary>Log lines instead of the live console.</summary>
    public bool Quiet { get; init; }

    /// <summary>Trainer workers.</summary>
    public int Workers { get; init; } = 2;
}
