using System.Net;
using StackExchange.Redis;

namespace Monolith.Silos.Hosting;

/// <summary>How a silo runs in this process.</summary>
public sealed record MonolithSiloOptions
{
    /// <summary>
    /// Where snapshots lie; in a cluster, a folder that every silo and replica sees. Usually <c>&lt;data&gt;/snapshots</c>.
    /// </summary>
    public required string SnapshotFolder { get; init; }

    /// <summary>
    /// Redis, through which parameters reach replicas and activations exclude each other, as StackExchange.Redis writes it;
    /// null: nothing is published, for one process that only learns (a replay).
    /// </summary>
    public string? Redis { get; init; }

    /// <summary>
    /// True: a cluster of silos that find each other through Redis. False: this process alone, on free loopback ports.
    /// </summary>
    public bool Clustered { get; init; }

    /// <summary>Name of the cluster; silos of one name form one. Default <c>monolith</c>.</summary>
    public string ClusterId { get; init; } = "monolith";

    /// <summary>Address that other silos reach this one at; null: loopback. Only for a cluster.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>Port for other silos; 0: a free one.</summary>
    public int SiloPort { get; init; }

    /// <summary>Port for clients outside the silos; 0: a free one in a cluster, none in a single process.</summary>
    public int GatewayPort { get; init; }

    /// <summary>How long a grain call waits for its answer; 5 seconds to 10 minutes. Default 30 seconds.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a stopping silo waits for its parts to be saved; default 2 minutes.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Checks all settings.</summary>
    /// <exception cref="ArgumentException">Names every setting that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var mistakes = new List<string>();
        Require(!string.IsNullOrWhiteSpace(SnapshotFolder), nameof(SnapshotFolder), SnapshotFolder, "the path of a folder");
        Require(Redis is null || IsRedis(Redis), nameof(Redis), "(hidden)", "a StackExchange.Redis configuration such as 'host:6379'");
        Require(!Clustered || Redis is not null, nameof(Clustered), Clustered, "false without Redis");
        Require(Clustered || Address is null, nameof(Address), Address, "null unless clustered: one process listens on loopback only");
        Require(
            Address is null || !(Address.Equals(IPAddress.Any) || Address.Equals(IPAddress.IPv6Any)),
            nameof(Address), Address, "an address that other silos can reach this one at");
        Require(!string.IsNullOrWhiteSpace(ClusterId), nameof(ClusterId), ClusterId, "a name");
        Require(SiloPort is >= 0 and <= 65535, nameof(SiloPort), SiloPort, "0 to 65535");
        Require(GatewayPort is >= 0 and <= 65535, nameof(GatewayPort), GatewayPort, "0 to 65535");
        Require(
            CallTimeout >= TimeSpan.FromSeconds(5) && CallTimeout <= TimeSpan.FromMinutes(10),
            nameof(CallTimeout),
            CallTimeout,
            "5 seconds to 10 minutes");
        Require(
            StopTimeout >= TimeSpan.FromSeconds(1) && StopTimeout <= TimeSpan.FromHours(1),
            nameof(StopTimeout),
            StopTimeout,
            "1 second to 1 hour");
        if (mistakes.Count > 0)
        {
            throw new ArgumentException($"The silo's settings are wrong:{string.Concat(mistakes.Select(m => $"\n- {m}"))}");
        }

        void Require(bool holds, string setting, object? value, string allowed)
        {
            if (!holds)
            {
                mistakes.Add($"{setting} is '{value}'; allowed: {allowed}.");
            }
        }
    }

    private static bool IsRedis(string configuration)
    {
        try
        {
            return ConfigurationOptions.Parse(configuration).EndPoints.Count > 0;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
