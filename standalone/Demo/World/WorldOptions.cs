namespace Monolith.Standalone.Demo.World;

/// <summary>The simulated world.</summary>
public sealed record WorldOptions
{
    /// <summary>Everything hidden is a function of this.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Users.</summary>
    public int Users { get; init; } = 2000;

    /// <summary>Items that can be had at any moment.</summary>
    public int Items { get; init; } = 2000;

    /// <summary>New items a second; each takes the place of one that was there longest.</summary>
    public double ArrivalsPerSecond { get; init; } = 2;

    /// <summary>Candidates of a request.</summary>
    public int Candidates { get; init; } = 24;

    /// <summary>Items shown of them.</summary>
    public int Shown { get; init; } = 10;

    /// <summary>Share of requests for items of one category; the others are for items of any.</summary>
    public double Browsing { get; init; } = 0.5;

    /// <summary>Share of requests shown in random order, so that there is something new to learn from.</summary>
    public double Exploration { get; init; } = 0.2;

    /// <summary>Half of all segments change their taste at once, this often.</summary>
    public TimeSpan AbruptDriftEvery { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Every taste slowly turns away from itself and comes back within this time.</summary>
    public TimeSpan SlowDriftPeriod { get; init; } = TimeSpan.FromMinutes(30);
}
