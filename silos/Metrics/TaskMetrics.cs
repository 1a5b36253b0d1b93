using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;

namespace Monolith.Silos.Metrics;

/// <summary>The figures of one task: of the trainer, of what was served, and of the baseline.</summary>
internal sealed class TaskMetrics(TaskSpec task, bool isFirst, bool hasBaseline)
{
    private readonly LearnerQuality _progressive = new();
    private readonly LearnerQuality? _served = isFirst ? new() : null;
    private readonly LearnerQuality? _baseline = hasBaseline ? new() : null;
    private readonly BaselineRates _rates = new(task.BaseRate);

    /// <summary>Adds the examples of a group, which were shown at once: the baseline scores all before it learns of any.</summary>
    public void AddGroup(MetricsPush push, int first, int count, int taskIndex, int tasks)
    {
        ReadOnlySpan<float> scores = push.Scores.As<float>(), labels = push.Labels.As<float>();
        ReadOnlySpan<float> keepRates = push.KeepRates.As<float>(), weights = push.Weights.As<float>();
        ReadOnlySpan<float> served = push.ServedScores.As<float>();
        ReadOnlySpan<ulong> keys = push.BaselineKeys.As<ulong>();
        for (var pass = 0; pass < (_baseline is null ? 1 : 2); pass++)
        {
            for (var e = first; e < first + count; e++)
            {
                var at = (e * tasks) + taskIndex;
                if (float.IsNaN(labels[at]))
                {
                    continue;
                }

                var example = new ScoredExample(scores[at], labels[at], weights[at]);
                if (!example.IsPositive)
                {
                    example = example with { Weight = example.Weight / keepRates[at] };
                }

                if (pass == 1)
                {
                    _rates.Learn(keys[e], example.IsPositive, example.Weight);
                    continue;
                }

                _progressive.Add(example);
                _baseline?.Add(example with { Score = _rates.Score(keys[e]) });
                // What is no probability counts as unknown, like NaN: in the sums it would stay for good.
                if (_served is not null && served[e] is >= 0f and <= 1f)
                {
                    _served.Add(example with { Score = served[e] });
                }
            }
        }
    }

    public TaskQuality Report() => new(
        task.Name, _progressive.Total(), _progressive.Window(), _served?.Total(), _served?.Window(), _baseline?.Total(), _baseline?.Window());

    public void Save(BinaryWriter writer)
    {
        _progressive.Save(writer);
        _served?.Save(writer);
        if (_baseline is not null)
        {
            _baseline.Save(writer);
            _rates.Save(writer);
        }
    }

    /// <param name="reader">What was saved.</param>
    /// <param name="hadBaseline">Whether a baseline was saved.</param>
    /// <param name="sameBaseline">Whether it was the present one; another one starts from nothing.</param>
    public void Load(BinaryReader reader, bool hadBaseline, bool sameBaseline)
    {
        _progressive.Load(reader);
        _served?.Load(reader);
        if (hadBaseline)
        {
            (sameBaseline ? _baseline! : new LearnerQuality()).Load(reader);
            (sameBaseline ? _rates : new BaselineRates(task.BaseRate)).Load(reader);
        }
    }
}
