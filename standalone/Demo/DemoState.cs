using System.Text.Json;
using System.Text.Json.Serialization;
using Monolith.Events;
using Monolith.Standalone.Demo.World;
using Monolith.Standalone.Hosting;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Demo;

/// <summary>
/// Where the simulated world of a data folder stands, so that a second run goes on with it. Everything hidden is a function
/// of these; after a crash the world goes back by at most a few seconds, which harms nothing.
/// </summary>
internal sealed record DemoState
{
    public required ulong Seed { get; init; }

    public required int Users { get; init; }

    public double Seconds { get; init; }

    public long Visits { get; init; }

    /// <summary>The model's name in this folder; null: as the specification has it.</summary>
    public string? Model { get; init; }

    /// <summary>
    /// The name under which a folder's demo learns. On servers that others use too, and that remember earlier demos, each
    /// folder's has a name of its own: its topics and keys carry it.
    /// </summary>
    public static string ModelName(DataFolder folder, DemoOptions options, string specified)
    {
        var state = Of(folder, options.World);
        if (File.Exists(FileOf(folder)))
        {
            return state.Model ?? specified;
        }

        if (options.Servers is { Kafka: null, Redis: null })
        {
            return specified;
        }

        var name = $"{specified}-{Guid.NewGuid().ToString("n")[..8]}";
        (state with { Model = name }).Save(folder);
        return name;
    }

    /// <summary>What to say of the topics that other demos have on a Kafka; null when there are none.</summary>
    /// <param name="topics">All topics there.</param>
    /// <param name="specified">The specification's name, which every demo's begins with.</param>
    /// <param name="own">This demo's name.</param>
    public static string? OthersOn(IEnumerable<string> topics, string specified, string own)
    {
        var suffix = new ModelTopics(string.Empty).Impressions;
        string[] others = [.. topics
            .Where(t => t.StartsWith($"{specified}-", StringComparison.Ordinal) && t.EndsWith(suffix, StringComparison.Ordinal))
            .Select(t => t[..^suffix.Length]).Where(t => t != own).Order(StringComparer.Ordinal)];
        // Whether somebody runs or keeps them is not known here, so they are not deleted.
        return others.Length == 0 ? null
            : $"This Kafka has topics of {(others.Length == 1 ? "another demo" : $"{others.Length} other demos")} ({string.Join(", ", others.Take(5))}"
                + $"{(others.Length > 5 ? ", …" : "")}): running, kept with --data-dir, or killed before the end. To delete one: "
                + $"kafka-topics.sh --bootstrap-server HOST:PORT --delete --topic '{others[0]}[.].*'";
    }

    /// <summary>The world of a folder: the one that was stopped there, or a new one.</summary>
    /// <exception cref="DataFolderException">The folder has a world of another seed or number of users.</exception>
    public static DemoState Of(DataFolder folder, WorldOptions world)
    {
        var file = FileOf(folder);
        if (!File.Exists(file))
        {
            return new DemoState { Seed = world.Seed, Users = world.Users };
        }

        var state = JsonSerializer.Deserialize(File.ReadAllBytes(file), DemoStateJson.Default.DemoState)!;
        return (state.Seed, state.Users) == (world.Seed, world.Users)
            ? state
            : throw new DataFolderException(
                $"data folder {folder.Path} has a population of {state.Users} users with seed {state.Seed}, not of {world.Users} "
                + $"with seed {world.Seed}: use --users {state.Users} --seed {state.Seed}, or name a new folder");
    }

    public void Save(DataFolder folder) =>
        AtomicFile.Write(FileOf(folder), stream => JsonSerializer.Serialize(stream, this, DemoStateJson.Default.DemoState));

    private static string FileOf(DataFolder folder) => Path.Combine(folder.Path, "demo.json");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DemoState))]
internal sealed partial class DemoStateJson : JsonSerializerContext;
