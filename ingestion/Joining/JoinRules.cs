using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Features;

namespace Monolith.Ingestion.Joining;

/// <summary>What the joiner needs of a model's specification, in the form it needs it.</summary>
internal sealed class JoinRules
{
    /// <summary>
    /// Time is cut into buckets; a window closes at the end of its bucket. What closes together is in the way of actions, so
    /// buckets are short; but not so short that there is one a request.
    /// </summary>
    private const int BucketsPerWindow = 4096;
    private const int LeastBucketsPerWindow = 256;
    private const int ShortBucketMs = 20;
    private const int LongestBucketMs = 10_000;
    private static readonly JsonSerializerOptions Exact = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public JoinRules(ModelSpec spec, int inputPartitions, int maxRecordBytes = 8 << 20)
    {
        MaxRecordBytes = maxRecordBytes;
        Fields = new FieldRules(spec);
        Topics = new ModelTopics(spec.Name);
        InputPartitions = inputPartitions;
        Kinds = KindRules.Of(spec);
        Sampling = [.. spec.Tasks.Select(t => new NegativeSampling(spec, t))];
        long[] windows = [.. spec.Tasks.Select(t => t.LabelRules().Max(r => (long)spec.Join.WindowOf(r.Kind).TotalMilliseconds))];
        StageWindowsMs = [.. windows.Distinct().Order()];
        StageOf = [.. windows.Select(w => Array.IndexOf(StageWindowsMs, w))];
        AllowedSkewMs = (long)spec.Join.AllowedSkew.TotalMilliseconds;
        var shortest = Math.Clamp(StageWindowsMs[0] / LeastBucketsPerWindow, 1, ShortBucketMs);
        BucketMs = Math.Clamp(StageWindowsMs[0] / BucketsPerWindow, shortest, LongestBucketMs);
        PartitionBy = Encoding.UTF8.GetBytes(SourceOf(spec));
        var shapesState = new
        {
            spec.Name,
            InputPartitions,
            AllowedSkewMs,
            BucketMs,
            StageWindowsMs,
            StageOf,
            Rules = spec.Tasks.Select(t => t.LabelRules()),
            Windows = Kinds.Select(k => k.WindowMs),
        };
        Fingerprint = XxHash128.HashToUInt128(JsonSerializer.SerializeToUtf8Bytes(shapesState, Exact));
    }

    public ModelTopics Topics { get; }

    public int InputPartitions { get; }

    /// <summary>What the model's features take.</summary>
    public FieldRules Fields { get; }

    /// <summary>Bytes of a record that the log takes.</summary>
    public int MaxRecordBytes { get; }

    /// <summary>Bytes of an event, as protobuf: all that is made of it fits into records then.</summary>
    public int MaxEventBytes => EventLimits.MaxEventBytes(MaxRecordBytes);

    /// <summary>The kinds of action that say something of a task.</summary>
    public KindRules[] Kinds { get; }

    /// <summary>Each task's sampling of negatives.</summary>
    public NegativeSampling[] Sampling { get; }

    public int Tasks => Sampling.Length;

    /// <summary>The windows of tasks, each once, ascending: a request closes in as many stages.</summary>
    public long[] StageWindowsMs { get; }

    public int Stages => StageWindowsMs.Length;

    /// <summary>The stage at which each task closes.</summary>
    public int[] StageOf { get; }

    /// <summary>The longest window.</summary>
    public long WindowMs => StageWindowsMs[^1];

    public long AllowedSkewMs { get; }

    public long BucketMs { get; }

    /// <summary>How long a closed request is remembered, to tell duplicates and late actions from orphans.</summary>
    public long KeepMs => WindowMs;

    /// <summary>The field whose value spreads examples over partitions.</summary>
    public byte[] PartitionBy { get; }

    /// <summary>Of everything that shapes the joiner's state: state is of use only to rules with the same.</summary>
    public UInt128 Fingerprint { get; }

    /// <summary>The rules for a kind of action; null: it says nothing.</summary>
    public KindRules? KindOf(ReadOnlySpan<byte> kind)
    {
        foreach (var known in Kinds)
        {
            if (kind.SequenceEqual(known.Name))
            {
                return known;
            }
        }

        return null;
    }

    /// <summary>The bucket at whose end a stage of a request of this time closes.</summary>
    public long CloseBucket(long eventTimeMs, int stage) => BucketAfter(eventTimeMs + StageWindowsMs[stage]);

    /// <summary>The bucket in which the last stage of a request of this time closes.</summary>
    public long LastBucket(long eventTimeMs) => CloseBucket(eventTimeMs, Stages - 1);

    /// <summary>The first bucket that ends at or after a time.</summary>
    public long BucketAfter(long timeMs) => (timeMs + BucketMs - 1) / BucketMs;

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
