using System.Collections.Concurrent;
using System.Diagnostics;
using Monolith.Contracts.Events;
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
    private const int PooledMax = 64;
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
        Fields = new FeatureExtractor(spec, ExtractFor.Scoring).Sources;
    }

    /// <summary>The model.</summary>
    public ModelSpec Spec { get; }

    /// <summary>The raw fields that a request may have.</summary>
    public IReadOnlySet<string> Fields { get; }

    /// <summary>Whether the replica has parameters.</summary>
    public bool IsReady => _replica.IsReady;

    /// <summary>Scores the candidates, in their order. The same request on the same versions gives the same scores.</summary>
    /// <param name="request">A request that <see cref="ScoreRequestCheck"/> has nothing against.</param>
    /// <exception cref="FeatureException">A value is not what its feature takes.</exception>
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
        if (_pool.Count < PooledMax)
        {
            _pool.Enqueue(result);
        }
    }

    private void Score(ScoreRequest request, ScoreResult result)
    {
        var scratch = result.Scratch;
        var candidates = request.Candidates ?? [];
        // The extractor reads the shared values once a request: it knows them again by their instance.
        IDictionary<string, FeatureValue> shared = request.Shared ?? [];
        scratch.Extractor.ForgetShared();
        scratch.Batch.Clear();
        foreach (var candidate in candidates)
        {
            scratch.Extractor.Append(shared, candidate.Features ?? Nothing, scratch.Batch);
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
}
