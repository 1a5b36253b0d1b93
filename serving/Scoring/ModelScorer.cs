using System.Collections.Concurrent;
using System.Diagnostics;
using Monolith.Contracts.Events;
using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Serving.Api;
using Monolith.Serving.Replica;

namespace Monolith.Serving.Scoring;

/// <summary>
/// Scores requests of one model from the replica: features, rows, network. Safe for concurrent use; what a request works in
/// is pooled. Computing is CPU-bound and short, so it runs on the caller's thread.
/// </summary>
public sealed class ModelScorer
{
    // Scoring runs on the caller's thread, so no more than there are threads at work are ever in use.
    private static readonly int PooledMax = 2 * Environment.ProcessorCount;
    private static readonly Dictionary<string, FeatureValue> Nothing = [];
    private readonly ParameterReplica _replica;
    private readonly ScoringMetrics _metrics;
    private readonly ConcurrentQueue<ScoreResult> _pool = new();

    /// <summary>Creates the scorer of a model.</summary>
    public ModelScorer(ModelSpec spec, ParameterReplica replica, ScoringMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(spec);
        Spec = spec;
        _replica = replica;
        _metrics = metrics;
        var extractor = new FeatureExtractor(spec, ExtractFor.Scoring);
        Fields = extractor.Sources;
        MaxCandidates = (int)Math.Max(1, Math.Min(
            Math.Min(spec.Serving.MaxCandidates, ScoreLimits.MaxCells / Math.Max(1, extractor.Embedded.Count)),
            ScoreLimits.MaxMultiplications / Math.Max(1, DenseLayout.Of(spec).Length)));
    }

    /// <summary>The model.</summary>
    public ModelSpec Spec { get; }

    /// <summary>The raw fields that a request may have.</summary>
    public IReadOnlySet<string> Fields { get; }

    /// <summary>
    /// Candidates that a request may have: what the specification allows, or less where <see cref="ScoreLimits.MaxCells"/> or
    /// <see cref="ScoreLimits.MaxMultiplications"/> allows less.
    /// </summary>
    public int MaxCandidates { get; }

    /// <summary>Whether the replica has parameters.</summary>
    public bool IsReady => _replica.IsReady;

    /// <summary>Scores the candidates, in their order. The same request on the same versions gives the same scores.</summary>
    /// <param name="request">A request that <see cref="ScoreRequestCheck"/> has nothing against.</param>
    /// <exception cref="FeatureException">A value is not what its feature takes.</exception>
    /// <exception cref="ScoreLimitException">The values give more ids or larger rows than are allowed.</exception>
    /// <exception cref="InvalidOperationException">The replica is not ready.</exception>
    /// <exception cref="DivergedModelException">The parameters are so large that a score is not a number.</exception>
    public ScoreResult Score(ScoreRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var started = Stopwatch.GetTimestamp();
        var result = _pool.TryDequeue(out var pooled) ? pooled : new ScoreResult(this, new ScoringScratch(Spec));
        try
        {
            Score(request, result);
            _metrics.Scored(Spec.Name, result.Count, Stopwatch.GetElapsedTime(started));
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    internal void Return(ScoreResult result)
    {
        if (_pool.Count < PooledMax && result.Scratch.IsSmall)
        {
            _pool.Enqueue(result);
        }
    }

    private void Score(ScoreRequest request, ScoreResult result)
    {
        var scratch = result.Scratch;
        var candidates = request.Candidates ?? [];
        scratch.Extractor.BeginRequest(request.Shared ?? Nothing, scratch.Batch);
        RequireFew(scratch.Batch);
        foreach (var candidate in candidates)
        {
            scratch.Extractor.AppendCandidate(candidate.Features ?? Nothing, scratch.Batch);
            RequireFew(scratch.Batch);
        }

        scratch.Ids.Build(scratch.Batch);
        var rows = scratch.Rows();
        var dense = _replica.Read(scratch.Ids, rows, scratch.Versions);
        scratch.Network.Score(scratch.Batch, scratch.Ids.Rows, rows, dense.Span, scratch.RoomFor(candidates.Count));
        if (scratch.Probabilities.AsSpan(0, candidates.Count * Spec.Tasks.Length).ContainsAnyExceptInRange(0f, 1f))
        {
            throw new DivergedModelException(Spec.Name);
        }

        result.Count = candidates.Count;
        result.WatermarkMs = scratch.Versions.Min(v => v.WatermarkMs);
        result.CanaryMs = request.Canary ? _replica.CanaryMs() : 0;
    }

    private static void RequireFew(FeatureBatch batch)
    {
        if (batch.AllIds.Length > ScoreLimits.MaxValues)
        {
            throw new ScoreLimitException($"the values of the request give more than {ScoreLimits.MaxValues} ids, which is the most allowed");
        }
    }
}
