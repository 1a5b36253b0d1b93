using Monolith.Contracts.Specification;
using Monolith.Features;

namespace Monolith.Standalone.Replay;

/// <summary>
/// What knowing one feature alone would have scored: its positive rate by value so far, smoothed with 20 views at the base
/// rate, each request scored as a whole before it is learned from. Read from the file again, in its order, so that it does
/// not depend on how the workers' work was interleaved.
/// </summary>
internal sealed class BaselineScores
{
    private const double SmoothingViews = 20;
    private readonly Dictionary<ulong, (long Views, long Positives)> _learned = [];
    private readonly FeatureExtractor _extractor;
    private readonly FeatureBatch _batch;
    private readonly int _feature;
    private readonly double _baseRate;

    private BaselineScores(ModelSpec spec)
    {
        _extractor = new FeatureExtractor(spec, ExtractFor.Training);
        _batch = _extractor.CreateBatch();
        _feature = spec.Training.Baseline is { } name ? _extractor.IndexOf(name) : -1;
        _baseRate = spec.Tasks[0].BaseRate;
    }

    /// <summary>The baseline's scores on the rows that the model scored for the first task.</summary>
    /// <param name="spec">Names the feature; without one it is the positive rate so far.</param>
    /// <param name="path">The replayed file.</param>
    /// <param name="scored">The model's rows in file order.</param>
    public static IEnumerable<ScoredRow> Of(ModelSpec spec, string path, IEnumerable<ScoredRow> scored)
    {
        var baseline = new BaselineScores(spec);
        using var requests = new CsvRequests(spec, path, 0, _ => true);
        using var rows = scored.GetEnumerator();
        var more = rows.MoveNext();
        while (more && requests.Read() is var (first, next, group))
        {
            baseline._batch.Clear();
            var seen = new List<ScoredRow>(group.Examples.Count);
            for (; more && rows.Current.Row < next; more = rows.MoveNext())
            {
                baseline._extractor.Append(group.Shared, group.Examples[(int)(rows.Current.Row - first)].Features, baseline._batch);
                seen.Add(rows.Current with { Score = baseline.Score(seen.Count) });
            }

            for (var i = 0; i < seen.Count; i++)
            {
                baseline.Learn(i, seen[i].Label);
                yield return seen[i];
            }
        }
    }

    private float Score(int example)
    {
        var (views, positives) = _learned.GetValueOrDefault(Key(example));
        return (float)((positives + (SmoothingViews * _baseRate)) / (views + SmoothingViews));
    }

    private void Learn(int example, float label)
    {
        var (views, positives) = _learned.GetValueOrDefault(Key(example));
        _learned[Key(example)] = (views + 1, positives + (label > 0.5f ? 1 : 0));
    }

    private ulong Key(int example) => _feature >= 0 && _batch.Ids(example, _feature) is [var id, ..] ? id : 0;
}
