using System.Text;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Metrics;

/// <summary>
/// Progressive validation of all tasks of a model, with the offsets it is applied through. A positive stands for its weight
/// and a negative for its weight over the rate at which negatives are kept, so that figures are those of the traffic and not
/// of the sample.
/// </summary>
public sealed class MetricsState : IPartState
{
    private readonly ModelSpec _spec;
    private readonly TaskMetrics[] _tasks;

    /// <summary>No examples yet.</summary>
    public MetricsState(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        _spec = spec;
        _tasks = [.. spec.Tasks.Select((task, t) => new TaskMetrics(task, isFirst: t == 0, hasBaseline: spec.Training.Baseline is not null))];
        Layout = [.. spec.Tasks.Select((t, i) => $"task {i} {t.Name}")];
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Layout { get; }

    /// <inheritdoc/>
    public AppliedOffsets Offsets { get; private set; } = new();

    private string Baseline => _spec.Training.Baseline ?? "";

    /// <inheritdoc/>
    public long Version { get; private set; }

    /// <summary>Refuses a push that cannot be right, before anything is touched.</summary>
    /// <exception cref="ArgumentException">What is wrong.</exception>
    public void Check(MetricsPush push)
    {
        ArgumentNullException.ThrowIfNull(push);
        _ = Offsets.Check(push.Span);
        var examples = push.Groups.Sum();
        var floats = examples * _spec.Tasks.Length * sizeof(float);
        var baseline = _spec.Training.Baseline is null ? 0 : examples * sizeof(ulong);
        if (push.Scores.Length != floats || push.Labels.Length != floats || push.KeepRates.Length != floats
            || push.Weights.Length != floats || push.ServedScores.Length != examples * sizeof(float)
            || push.BaselineKeys.Length != baseline)
        {
            throw new ArgumentException(
                $"a metrics push of {examples} examples and {_spec.Tasks.Length} tasks has blocks of {push.Scores.Length}, "
                + $"{push.Labels.Length}, {push.KeepRates.Length}, {push.Weights.Length}, {push.ServedScores.Length} and "
                + $"{push.BaselineKeys.Length} bytes; {floats}, {floats}, {floats}, {floats}, "
                + $"{examples * sizeof(float)} and {baseline} are right");
        }

        CheckValues(push);
    }

    /// <summary>Applies a checked push, once.</summary>
    public PushReply Push(MetricsPush push)
    {
        ArgumentNullException.ThrowIfNull(push);
        var reply = Offsets.TryApply(push.Span);
        if (reply.Outcome == PushOutcome.Applied)
        {
            Version += push.Span.Moves ? 1 : 0;
            var first = 0;
            foreach (var count in push.Groups)
            {
                for (var t = 0; t < _tasks.Length; t++)
                {
                    _tasks[t].AddGroup(push, first, count, t, _tasks.Length);
                }

                first += count;
            }
        }

        return reply;
    }

    /// <summary>The figures so far.</summary>
    public MetricsReport Report() => new([.. _tasks.Select(t => t.Report())]);

    /// <inheritdoc/>
    public IStateCopy BeginCopy(bool increment) => new WholeCopy(Save);

    /// <inheritdoc/>
    public void Load(Stream stream, AppliedOffsets offsets)
    {
        using var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
        var saved = reader.ReadString();
        foreach (var task in _tasks)
        {
            task.Load(reader, saved.Length > 0, saved == Baseline);
        }

        Offsets = offsets;
    }

    // One value that is not a number would stay in the sums for good.
    private static void CheckValues(MetricsPush push)
    {
        var scores = push.Scores.As<float>();
        if (scores.ContainsAnyExceptInRange(0f, 1f))
        {
            throw new ArgumentException("A metrics push has scores that are no probabilities: the model diverged.");
        }

        if (push.KeepRates.As<float>().ContainsAnyExceptInRange(float.Epsilon, 1f))
        {
            throw new ArgumentException("A metrics push has keep rates that are not above 0 and at most 1.");
        }

        if (push.Weights.As<float>().ContainsAnyExceptInRange(0f, float.MaxValue))
        {
            throw new ArgumentException("A metrics push has weights that are negative or not finite.");
        }
    }

    private void Save(Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(Baseline);
        foreach (var task in _tasks)
        {
            task.Save(writer);
        }
    }
}
