using System.Runtime.InteropServices;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Trainer.Model;

/// <summary>Labels and weights of a micro-batch of n examples and t tasks; reused from batch to batch.</summary>
/// <param name="tasks">t.</param>
public sealed class Targets(int tasks)
{
    private readonly List<float> _labels = [];
    private readonly List<float> _keepRates = [];
    private readonly List<float> _weights = [];
    private readonly List<float> _servedScores = [];

    /// <summary>t, tasks.</summary>
    public int Tasks { get; } = tasks;

    /// <summary>n, examples.</summary>
    public int Count => _servedScores.Count;

    /// <summary>n × t; NaN where a task says nothing.</summary>
    public ReadOnlySpan<float> Labels => CollectionsMarshal.AsSpan(_labels);

    /// <summary>n × t, share of negatives that sampling keeps, on positives too; 1 without.</summary>
    public ReadOnlySpan<float> KeepRates => CollectionsMarshal.AsSpan(_keepRates);

    /// <summary>n × t, weight in the task's loss, 1 by default: the example's times the label's.</summary>
    public ReadOnlySpan<float> Weights => CollectionsMarshal.AsSpan(_weights);

    /// <summary>n, probability of the first task when it was served; NaN unknown.</summary>
    public ReadOnlySpan<float> ServedScores => CollectionsMarshal.AsSpan(_servedScores);

    /// <summary>Empties it and keeps its memory.</summary>
    public void Clear()
    {
        _labels.Clear();
        _keepRates.Clear();
        _weights.Clear();
        _servedScores.Clear();
    }

    /// <summary>Adds an example's targets. Labels that it does not have, or that are not finite, say nothing.</summary>
    public void Add(Example example)
    {
        ArgumentNullException.ThrowIfNull(example);
        var weight = WeightOf(example.Weight);
        for (var t = 0; t < Tasks; t++)
        {
            var label = t < example.Labels.Count ? example.Labels[t] : null;
            _labels.Add(label is { Present: true } && float.IsFinite(label.Value) ? label.Value : float.NaN);
            _keepRates.Add(label is { KeepRate: > 0 and <= 1 } ? label.KeepRate : 1);
            _weights.Add(WeightOf(weight * WeightOf(label?.Weight ?? 0)));
        }

        _servedScores.Add(example.HasServedScore ? example.ServedScore : float.NaN);
    }

    private static float WeightOf(float weight) => weight is > 0 and < float.PositiveInfinity ? Math.Min(weight, (float)SpecLimits.Weight) : 1;
}
