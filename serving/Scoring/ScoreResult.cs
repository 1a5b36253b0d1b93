using Monolith.Serving.Replica;

namespace Monolith.Serving.Scoring;

/// <summary>The answer to one request. Its memory is used again once it is disposed.</summary>
public sealed class ScoreResult : IDisposable
{
    private readonly ModelScorer _owner;

    internal ScoreResult(ModelScorer owner, ScoringScratch scratch)
    {
        _owner = owner;
        Scratch = scratch;
    }

    /// <summary>Number of candidates.</summary>
    public int Count { get; internal set; }

    /// <summary>What the scores were computed from: one version a shard and, last, that of the dense parameters.</summary>
    public ReadOnlySpan<ReplicaVersion> Versions => Scratch.Versions;

    /// <summary>Emission time that all of that has learned through, in Unix milliseconds; 0 before the first example.</summary>
    public long WatermarkMs { get; internal set; }

    /// <summary>When the newest canary that reached every shard was sent, in Unix milliseconds; 0 before the first.</summary>
    public long CanaryMs { get; internal set; }

    internal ScoringScratch Scratch { get; }

    /// <summary>Probabilities of a candidate, one a task.</summary>
    public ReadOnlySpan<float> Of(int candidate) =>
        Scratch.Probabilities.AsSpan(candidate * _owner.Spec.Tasks.Length, _owner.Spec.Tasks.Length);

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _owner.Return(this);
}
