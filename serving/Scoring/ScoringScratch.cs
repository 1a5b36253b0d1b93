using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Serving.Api;
using Monolith.Serving.Inference;
using Monolith.Serving.Replica;

namespace Monolith.Serving.Scoring;

/// <summary>What one request at a time works in; used again unless an unusually large request made it grow.</summary>
internal sealed class ScoringScratch(ModelSpec spec)
{
    private float[] _rows = [];
    private float[] _probabilities = [];

    private const int SmallCells = 1 << 16;
    private const int SmallValues = 1 << 20;

    public FeatureExtractor Extractor { get; } = new(spec, ExtractFor.Scoring);

    public ReplicaVersion[] Versions { get; } = new ReplicaVersion[spec.Shards + 1];

    public FeatureBatch Batch => field ??= Extractor.CreateBatch();

    public DeepFmInference Network { get; } = new(spec);

    public BatchIds Ids => field ??= new BatchIds(Extractor, spec.Shards);

    public float[] Probabilities => _probabilities;

    /// <summary>Whether it is small enough to keep: about 10 MiB at most.</summary>
    public bool IsSmall => Batch.AllIds.Length <= SmallCells
        && Batch.Count * Batch.EmbeddedFeatures <= SmallCells
        && _rows.Length + _probabilities.Length + Batch.AllNumbers.Length <= SmallValues;

    /// <summary>Room for the rows of the ids, in their order.</summary>
    /// <exception cref="ScoreLimitException">They are more than <see cref="ScoreLimits.MaxRowBytes"/>.</exception>
    public Span<float> Rows()
    {
        var length = 0L;
        for (var shard = 0; shard < Ids.Shards; shard++)
        {
            var counts = Ids.Counts(shard);
            for (var table = 0; table < spec.Tables.Length; table++)
            {
                length += (long)counts[table] * spec.Tables[table].Dimension;
            }
        }

        if (length * sizeof(float) > ScoreLimits.MaxRowBytes)
        {
            throw new ScoreLimitException(
                $"the request's values have {length * sizeof(float)} bytes of distinct rows; at most {ScoreLimits.MaxRowBytes} are allowed");
        }

        return Grow(ref _rows, (int)length);
    }

    /// <summary>Room for the probabilities of n candidates.</summary>
    public Span<float> RoomFor(int candidates) => Grow(ref _probabilities, candidates * spec.Tasks.Length);

    private static Span<float> Grow(ref float[] array, int length)
    {
        if (array.Length < length)
        {
            array = new float[Math.Max(length, 2 * array.Length)];
        }

        return array.AsSpan(0, length);
    }
}
