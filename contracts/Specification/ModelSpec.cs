using System.Collections.Immutable;

namespace Monolith.Contracts.Specification;

/// <summary>Everything there is to say about a model. Immutable, validated before anything else sees it.</summary>
public sealed record ModelSpec
{
    /// <summary>The model's name: lower-case letters, digits and dashes; part of grain keys, Redis keys and file names.</summary>
    public required string Name { get; init; }

    /// <summary>Seeds initial values, sampling and shuffling.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The feature by which examples are spread over partitions; usually the user.</summary>
    public required string PartitionBy { get; init; }

    /// <summary>Number of embedding shards; a power of two, fixed when the model is created.</summary>
    public int Shards { get; init; } = 8;

    /// <summary>Features in order; a feature's index here is its slot.</summary>
    public required ImmutableArray<FeatureSpec> Features { get; init; }

    /// <summary>Embedding tables in order; a table's index here identifies it in messages.</summary>
    public required ImmutableArray<TableSpec> Tables { get; init; }

    /// <summary>The network over the features.</summary>
    public required NetworkSpec Network { get; init; }

    /// <summary>What is predicted; the first task is the headline.</summary>
    public required ImmutableArray<TaskSpec> Tasks { get; init; }

    /// <summary>Micro-batching of the trainer.</summary>
    public TrainingSpec Training { get; init; } = new();

    /// <summary>How dense parameters are averaged.</summary>
    public FederatedSpec Federated { get; init; } = new();

    /// <summary>How changes travel to replicas, and how often parts are saved.</summary>
    public SyncSpec Sync { get; init; } = new();

    /// <summary>How impressions and actions become examples.</summary>
    public JoinSpec Join { get; init; } = new();

    /// <summary>Limits of a scoring request.</summary>
    public ServingSpec Serving { get; init; } = new();

    /// <summary>How files are read; absent when the model is only fed by events.</summary>
    public SourceSpec? Source { get; init; }
}

/// <summary>A feature: a name, and how its value becomes ids or a number.</summary>
public abstract record FeatureSpec
{
    /// <summary>The feature's name; salts its ids, so features never share rows by accident.</summary>
    public required string Name { get; init; }

    /// <summary>A value used instead of the request's when scoring, for what the application cannot know when it asks.</summary>
    public string? ScoreAs { get; init; }
}

/// <summary>A feature whose values are ids with rows in a table.</summary>
public abstract record EmbeddedFeature : FeatureSpec
{
    /// <summary>Name of the table that holds the rows.</summary>
    public required string Table { get; init; }

    /// <summary>How the rows of several values become one vector.</summary>
    public Combiner Combiner { get; init; } = Combiner.Sum;
}

/// <summary>A categorical feature, single- or multi-valued; or a number that is first put into a bucket.</summary>
public sealed record CategoricalFeature : EmbeddedFeature
{
    /// <summary>The event field or file column.</summary>
    public required string Source { get; init; }

    /// <summary>Splits a text into several values; null: single-valued.</summary>
    public string? Separator { get; init; }

    /// <summary>Turns a number into a bucket whose index is the value; null: the value itself is the category.</summary>
    public BucketizeSpec? Bucketize { get; init; }
}

/// <summary>The combination of two or more single-valued features as one id.</summary>
public sealed record CrossFeature : EmbeddedFeature
{
    /// <summary>Names of the crossed features, at least two.</summary>
    public required ImmutableArray<string> Of { get; init; }
}

/// <summary>A number that goes to the network as it is, after its transforms.</summary>
public sealed record NumericFeature : FeatureSpec
{
    /// <summary>The event field or file column.</summary>
    public required string Source { get; init; }

    /// <summary>Applied in order.</summary>
    public ImmutableArray<NumericTransform> Transforms { get; init; } = [];
}

/// <summary>How several rows become one vector. An empty set gives zeros under each.</summary>
public enum Combiner
{
    /// <summary>Σ rows.</summary>
    Sum,

    /// <summary>Σ rows / n.</summary>
    Mean,

    /// <summary>Σ rows / √n.</summary>
    SqrtN,
}

/// <summary>How a number becomes a bucket index.</summary>
public abstract record BucketizeSpec;

/// <summary>⌊log₂(1 + max(x, 0)) · <paramref name="PerOctave"/>⌋.</summary>
/// <param name="PerOctave">Buckets a doubling; 1 or more.</param>
public sealed record LogBuckets(int PerOctave = 1) : BucketizeSpec;

/// <summary>The number of boundaries that are ≤ x.</summary>
/// <param name="Boundaries">Strictly ascending.</param>
public sealed record BoundaryBuckets(ImmutableArray<double> Boundaries) : BucketizeSpec;

/// <summary>One step from a raw number to the network's input.</summary>
public abstract record NumericTransform;

/// <summary>sign(x)·ln(1 + |x|).</summary>
public sealed record LogTransform : NumericTransform;

/// <summary>(x − mean) / deviation, with constants of the specification.</summary>
/// <param name="Mean">Subtracted.</param>
/// <param name="Deviation">Divided by; above 0.</param>
public sealed record StandardizeTransform(double Mean, double Deviation) : NumericTransform;

/// <summary>min(max(x, Low), High).</summary>
/// <param name="Low">Lower bound.</param>
/// <param name="High">Upper bound.</param>
public sealed record ClipTransform(double Low, double High) : NumericTransform;

/// <summary>An embedding table: one row an id, the row a concatenation of segments.</summary>
public sealed record TableSpec
{
    /// <summary>The table's name.</summary>
    public required string Name { get; init; }

    /// <summary>The row's segments, in order. For DeepFM: a one-wide weight, then the vector.</summary>
    public required ImmutableArray<SegmentSpec> Segments { get; init; }

    /// <summary>How often an id must occur before it gets a row.</summary>
    public AdmissionSpec Admission { get; init; } = new AdmitAll();

    /// <summary>How long a row lives after its last update, in event time; null: for ever.</summary>
    public TimeSpan? Expiry { get; init; }

    /// <summary>Width of a row's values: the sum of its segments' dimensions.</summary>
    public int Dimension
    {
        get
        {
            var sum = 0;
            foreach (var segment in Segments)
            {
                sum += segment.Dimension;
            }

            return sum;
        }
    }
}

/// <summary>A slice of a row with its own optimizer and initializer.</summary>
public sealed record SegmentSpec
{
    /// <summary>Number of values, 1 to 1,024.</summary>
    public required int Dimension { get; init; }

    /// <summary>What the values start from.</summary>
    public InitializerSpec Initializer { get; init; } = new ZerosInitializer();

    /// <summary>What learns them.</summary>
    public required SparseOptimizerSpec Optimizer { get; init; }
}

/// <summary>What values start from: a pure function of (seed, id, position).</summary>
public abstract record InitializerSpec;

/// <summary>All zero.</summary>
public sealed record ZerosInitializer : InitializerSpec;

/// <summary>All the same.</summary>
/// <param name="Value">The value.</param>
public sealed record ConstantInitializer(float Value) : InitializerSpec;

/// <summary>Uniform in [Low, High).</summary>
/// <param name="Low">Inclusive lower bound.</param>
/// <param name="High">Exclusive upper bound.</param>
public sealed record UniformInitializer(float Low, float High) : InitializerSpec;

/// <summary>An optimizer of sparse rows. State lives in the row; formulas in docs/optimizers.md.</summary>
public abstract record SparseOptimizerSpec
{
    /// <summary>Learning rate; above 0.</summary>
    public float LearningRate { get; init; } = 0.05f;

    /// <summary>L2 decay added to the gradient; 0 or more.</summary>
    public float WeightDecay { get; init; }
}

/// <summary>w −= lr·g.</summary>
public sealed record SgdOptimizer : SparseOptimizerSpec;

/// <summary>n += g²; w −= lr·g/√n.</summary>
public sealed record AdagradOptimizer : SparseOptimizerSpec
{
    /// <summary>What n starts from; above 0.</summary>
    public float InitialAccumulator { get; init; } = 0.1f;
}

/// <summary>FTRL-proximal (McMahan et al., 2013), per coordinate.</summary>
public sealed record FtrlOptimizer : SparseOptimizerSpec
{
    /// <summary>What n starts from; 0 or more.</summary>
    public float InitialAccumulator { get; init; } = 0.1f;

    /// <summary>β of the per-coordinate learning rate.</summary>
    public float Beta { get; init; }

    /// <summary>L1 strength.</summary>
    public float L1 { get; init; }

    /// <summary>L2 strength.</summary>
    public float L2 { get; init; }
}

/// <summary>w = μw + (1−μ)·g: a moving average of what is pushed; μ = 0 assigns.</summary>
public sealed record MovingAverageOptimizer : SparseOptimizerSpec
{
    /// <summary>μ, from 0 to 1.</summary>
    public float Decay { get; init; } = 0.9f;
}

/// <summary>When an id gets a row.</summary>
public abstract record AdmissionSpec;

/// <summary>At its first update.</summary>
public sealed record AdmitAll : AdmissionSpec;

/// <summary>Once it has been seen more than this often.</summary>
/// <param name="Threshold">Occurrences that are not enough; 1 to 15.</param>
public sealed record AdmitAfter(int Threshold) : AdmissionSpec;

/// <summary>The network over pooled vectors and numbers.</summary>
public abstract record NetworkSpec
{
    /// <summary>Widths of the hidden layers, from the input to the output.</summary>
    public ImmutableArray<int> Hidden { get; init; } = [64, 32];

    /// <summary>The optimizer of the dense parameters.</summary>
    public DenseOptimizerSpec Optimizer { get; init; } = new AdamOptimizer();
}

/// <summary>
/// DeepFM (Guo et al., 2017): logit = bias + Σ first-order weights + factorization machine + MLP. Rows are one segment of
/// width 1 (first-order weight) and one of width k (vector); every table has the same k.
/// </summary>
public sealed record DeepFmNetwork : NetworkSpec;

/// <summary>An optimizer of dense parameters.</summary>
public abstract record DenseOptimizerSpec
{
    /// <summary>Local learning rate η; above 0.</summary>
    public float LearningRate { get; init; } = 0.001f;
}

/// <summary>w −= η·g.</summary>
public sealed record DenseSgd : DenseOptimizerSpec;

/// <summary>Adam (Kingma and Ba, 2015).</summary>
public sealed record AdamOptimizer : DenseOptimizerSpec
{
    /// <summary>Decay of the first moment.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>Decay of the second moment.</summary>
    public float Beta2 { get; init; } = 0.999f;

    /// <summary>Added to the denominator.</summary>
    public float Epsilon { get; init; } = 1e-8f;
}

/// <summary>Something to predict.</summary>
public sealed record TaskSpec
{
    /// <summary>The task's name, in answers and metrics.</summary>
    public required string Name { get; init; }

    /// <summary>In files, the column that holds the label; in events, the kind of action that makes an example positive.</summary>
    public required string Label { get; init; }

    /// <summary>The expected share of positives: where the output bias starts. Between 0 and 1, exclusive.</summary>
    public double BaseRate { get; init; } = 0.05;

    /// <summary>Weight of the task's loss in the sum.</summary>
    public double LossWeight { get; init; } = 1;
}

/// <summary>Micro-batching.</summary>
public sealed record TrainingSpec
{
    /// <summary>Examples a micro-batch aims at; requests are never split, so it may be exceeded by one request.</summary>
    public int MicroBatch { get; init; } = 64;

    /// <summary>A partial micro-batch goes after this long.</summary>
    public TimeSpan PartialAfter { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Feature whose click rate by value is the printed baseline; null: the base rate alone.</summary>
    public string? Baseline { get; init; }
}

/// <summary>Which federated average (docs/federated.md).</summary>
public enum FederatedAlgorithm
{
    /// <summary>Plain averaging of local steps (β = 1).</summary>
    FedAvg,

    /// <summary>Momentum federated averaging (Cheng et al., 2306.16504).</summary>
    FedAvgM,
}

/// <summary>Federated averaging of the dense parameters.</summary>
public sealed record FederatedSpec
{
    /// <summary>The algorithm.</summary>
    public FederatedAlgorithm Algorithm { get; init; } = FederatedAlgorithm.FedAvg;

    /// <summary>K, micro-batches between two rounds.</summary>
    public int LocalSteps { get; init; } = 10;

    /// <summary>β, weight of the fresh step against the server's momentum; 1 is FedAvg.</summary>
    public float Beta { get; init; } = 1f;

    /// <summary>Server step as a multiple of ηK: 1 is plain averaging.</summary>
    public float ServerStep { get; init; } = 1f;

    /// <summary>A live round closes this long after its first report.</summary>
    public TimeSpan RoundDeadline { get; init; } = TimeSpan.FromMilliseconds(200);
}

/// <summary>Synchronization and snapshots.</summary>
public sealed record SyncSpec
{
    /// <summary>Changed rows are flushed to replicas this often.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A delta lives this long in Redis; longer than a snapshot interval.</summary>
    public TimeSpan DeltaTimeToLive { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A part is saved this often when it has changed.</summary>
    public TimeSpan SnapshotInterval { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>Joining impressions and actions.</summary>
public sealed record JoinSpec
{
    /// <summary>Attribution window: an item without a positive action this long after its impression is a negative.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Event times further ahead of the log's clock than this are refused.</summary>
    public TimeSpan AllowedSkew { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>Limits of scoring.</summary>
public sealed record ServingSpec
{
    /// <summary>Candidates a request may have.</summary>
    public int MaxCandidates { get; init; } = 1000;
}

/// <summary>How a file's rows become requests.</summary>
public sealed record SourceSpec
{
    /// <summary>Columns that together name the request; consecutive rows with equal values were shown at once.</summary>
    public required ImmutableArray<string> Request { get; init; }

    /// <summary>The column with the event time.</summary>
    public required string Time { get; init; }

    /// <summary>Unit of the time column.</summary>
    public TimeUnit TimeUnit { get; init; } = TimeUnit.Seconds;

    /// <summary>The column with the item's id; null: the row's number.</summary>
    public string? Item { get; init; }
}

/// <summary>Unit of a file's time column, counted from 1970 in UTC.</summary>
public enum TimeUnit
{
    /// <summary>Seconds.</summary>
    Seconds,

    /// <summary>Milliseconds.</summary>
    Milliseconds,
}
