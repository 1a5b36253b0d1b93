using System.Text.Json;
using System.Text.Json.Serialization;
using Monolith.Contracts.Grains;

namespace Monolith.Serving.Api;

/// <summary>What <c>GET /v1/models/{model}/status</c> answers: how well, how fresh, how far behind, how large.</summary>
public sealed record ModelStatus
{
    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>Whether requests are scored.</summary>
    public required bool Ready { get; init; }

    /// <summary>Emission time that the replica has learned through, in Unix milliseconds; 0 before the first example.</summary>
    public required long WatermarkMs { get; init; }

    /// <summary>How old that is, in seconds; null before the first example.</summary>
    public required double? AgeSeconds { get; init; }

    /// <summary>When the newest canary that reached every shard was sent, in Unix milliseconds; 0 before the first.</summary>
    public required long CanaryMs { get; init; }

    /// <summary>What the replica holds: one version a shard and, as shard −1, that of the dense parameters.</summary>
    public required IReadOnlyList<ReplicaVersionStatus> Versions { get; init; }

    /// <summary>Rows of the replica, by table.</summary>
    public required IReadOnlyDictionary<string, long> Rows { get; init; }

    /// <summary>What the training side says; null where this process does not know it.</summary>
    public TrainingStatus? Training { get; init; }
}

/// <summary>A version of a shard.</summary>
/// <param name="Shard">The shard; −1 for the dense parameters.</param>
/// <param name="Epoch">Raised whenever the shard is restored.</param>
/// <param name="Sequence">Deltas applied in that epoch.</param>
public sealed record ReplicaVersionStatus(int Shard, long Epoch, long Sequence);

/// <summary>The training side.</summary>
public sealed record TrainingStatus
{
    /// <summary>Quality of each task.</summary>
    public required IReadOnlyList<TaskQuality> Tasks { get; init; }

    /// <summary>Records of each topic that its reader has yet to read.</summary>
    public required IReadOnlyDictionary<string, long> Lag { get; init; }

    /// <summary>Rows of all shards, by table.</summary>
    public required IReadOnlyDictionary<string, long> Rows { get; init; }

    /// <summary>Memory of all shards' tables, in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Federated rounds closed.</summary>
    public required long Rounds { get; init; }

    /// <summary>Workers taking part.</summary>
    public required IReadOnlyList<string> Workers { get; init; }

    /// <summary>How events become examples.</summary>
    public required JoiningStatus Joiner { get; init; }
}

/// <summary>The joiner of this process; counts are since it started.</summary>
public sealed record JoiningStatus
{
    /// <summary>Whether it reads and commits.</summary>
    public required bool Running { get; init; }

    /// <summary>Partitions it owns.</summary>
    public required int Partitions { get; init; }

    /// <summary>Event time that windows have closed through, in Unix milliseconds, the least of its partitions; 0 before the first event.</summary>
    public required long WatermarkMs { get; init; }

    /// <summary>How far that is behind the clock, in seconds; null before the first event.</summary>
    public required double? DelaySeconds { get; init; }

    /// <summary>Shown items whose attribution window is open.</summary>
    public required long PendingItems { get; init; }

    /// <summary>Actions that wait for their impression.</summary>
    public required long WaitingActions { get; init; }

    /// <summary>Events by what became of them: the outcomes of the metric <c>monolith_joiner_events_total</c>.</summary>
    public required IReadOnlyDictionary<string, long> Events { get; init; }

    /// <summary>Labels of all tasks, by whether they were said as positive or negative, or sampled away.</summary>
    public required IReadOnlyDictionary<string, long> Labels { get; init; }

    /// <summary>Examples emitted.</summary>
    public required long Examples { get; init; }

    /// <summary>Why it last started over; null: it never did.</summary>
    public required string? LastError { get; init; }
}

/// <summary>Asks the training side; registered where this process can reach it.</summary>
public interface ITrainingStatusSource
{
    /// <summary>The training side's figures now.</summary>
    ValueTask<TrainingStatus> Get(string model, CancellationToken cancellation);
}

/// <summary>Status in JSON; figures that cannot be said yet are null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters = [typeof(FiniteOrNull)])]
[JsonSerializable(typeof(ModelStatus))]
public sealed partial class StatusJson : JsonSerializerContext;

/// <summary>JSON has no NaN: what is not defined yet is null.</summary>
public sealed class FiniteOrNull : JsonConverter<double>
{
    /// <inheritdoc/>
    public override bool HandleNull => true;

    /// <inheritdoc/>
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
