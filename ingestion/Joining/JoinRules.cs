using System.Text;
using Monolith.Contracts.Specification;
using Monolith.Events;

namespace Monolith.Ingestion.Joining;

/// <summary>What the joiner needs of a model's specification, in the form it needs it.</summary>
internal sealed class JoinRules
{
    /// <summary>Time is cut into this many buckets a window; a window closes at the end of its bucket.</summary>
    private const int BucketsPerWindow = 256;

    public JoinRules(ModelSpec spec, int inputPartitions)
    {
        Topics = new ModelTopics(spec.Name);
        InputPartitions = inputPartitions;
        Labels = [.. spec.Tasks.Select(t => Encoding.UTF8.GetBytes(t.Label))];
        WindowMs = (long)spec.Join.Window.TotalMilliseconds;
        AllowedSkewMs = (long)spec.Join.AllowedSkew.TotalMilliseconds;
        BucketMs = Math.Clamp(WindowMs / BucketsPerWindow, 1, 10_000);
        PartitionBy = Encoding.UTF8.GetBytes(SourceOf(spec));
    }

    public ModelTopics Topics { get; }

    public int InputPartitions { get; }

    /// <summary>The kind of action that is each task's label.</summary>
    public byte[][] Labels { get; }

    public long WindowMs { get; }

    public long AllowedSkewMs { get; }

    public long BucketMs { get; }

    /// <summary>How long a closed request is remembered, to tell duplicates and late actions from orphans.</summary>
    public long KeepMs => WindowMs;

    /// <summary>How long an action waits for its impression.</summary>
    public long WaitMs => WindowMs;

    /// <summary>The field whose value spreads examples over partitions.</summary>
    public byte[] PartitionBy { get; }

    /// <summary>The task an action is a label of; −1: none.</summary>
    public int TaskOf(ReadOnlySpan<byte> kind)
    {
        for (var task = 0; task < Labels.Length; task++)
        {
            if (kind.SequenceEqual(Labels[task]))
            {
                return task;
            }
        }

        return -1;
    }

    /// <summary>The bucket in which a request of this time closes.</summary>
    public long CloseBucket(long eventTimeMs) => (eventTimeMs + WindowMs + BucketMs - 1) / BucketMs;

    private static string SourceOf(ModelSpec spec)
    {
        foreach (var feature in spec.Features)
        {
            if (feature.Name == spec.PartitionBy)
            {
                return feature switch
                {
                    CategoricalFeature categorical => categorical.Source,
                    NumericFeature numeric => numeric.Source,
                    _ => spec.PartitionBy,
                };
            }
        }

        return spec.PartitionBy;
    }
}
