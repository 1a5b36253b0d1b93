using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Serving.Inference;
using Monolith.Serving.Replica;

namespace Monolith.Serving.Scoring;

/// <summary>What one request at a time works in; grows to the largest request and is used again.</summary>
internal sealed class ScoringScratch(ModelSpec spec)
{
    private float[] _rows = [];
    private float[] _probabilities = [];

    public FeatureExtractor Extractor { get; } = new(spec, ExtractFor.Scoring);

    public ReplicaVersion[] Versions { get; } = new ReplicaVersion[spec.Shards + 1];

    public FeatureBatch Batch => field ??= Extractor.CreateBatch();

    public DeepFmInference Network { get; } = new(spec);

    public BatchIds Ids => field ??= new BatchIds(Extractor, spec.Shards);

    public float[] Probabilities => _probabilities;

    /// <summary>Room for the rows of the ids, in their order.</summary>
    public Span<float> Rows()
    {
        var length = 0;
        for (var shard = 0; shard < Ids.Shards; shard++)
        {
            var counts = Ids.Counts(shard);
            for (var table = 0; table < spec.Tables.Length; table++)
            {
                length += counts[table] * spec.Tables[table].Dimension;
            }
        }

        return Grow(ref _rows, length);
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
