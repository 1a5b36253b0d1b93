using System.Runtime.InteropServices;
using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Trainer.Model;
using Monolith.Trainer.Parts;
using Monolith.Trainer.Sources;

namespace Monolith.Trainer.Batches;

/// <summary>
/// Whole groups of one partition on their way through lookup, learning and push. Buffers are reused from batch to batch.
/// </summary>
internal sealed class MicroBatch
{
    private readonly ModelSpec _spec;
    private readonly FeatureExtractor _extractor;
    private readonly int _baselineId;
    private readonly int _baselineNumber;
    private readonly List<ExampleRecord> _records = [];
    private readonly List<int> _groups = [];
    private readonly List<bool> _isRead = [];
    private readonly List<uint> _times = [];
    private readonly List<ulong> _baseline = [];
    private uint[] _eventTimes = [];
    private float[] _rows = [];
    private float[] _rowGradients = [];
    private float[] _scores = [];

    public MicroBatch(ModelSpec spec, Action<int, double>? seeNumber = null)
    {
        _spec = spec;
        _extractor = new FeatureExtractor(spec, ExtractFor.Training, seeNumber);
        Features = _extractor.CreateBatch();
        Ids = new BatchIds(_extractor, spec.Shards);
        Targets = new Targets(spec.Tasks.Length);
        _baselineId = spec.Training.Baseline is { } name ? _extractor.IndexOf(name) : -1;
        _baselineNumber = spec.Training.Baseline is { } number ? _extractor.Numeric.ToList().FindIndex(f => f.Name == number) : -1;
        RowLength = spec.Tables[0].Dimension;
    }

    /// <summary>Where it comes from.</summary>
    public OwnedPartition Partition { get; private set; } = null!;

    /// <summary>
    /// Offset of its first record. Whatever part stands there or before has none of it, any other has all of it: batches are
    /// cut at every part's offset.
    /// </summary>
    public long From { get; private set; }

    /// <summary>Offset it goes through (exclusive end).</summary>
    public long Through { get; private set; }

    /// <summary>Emission time of the newest record so far of the partition.</summary>
    public long WatermarkMs { get; private set; }

    /// <summary>When its newest canary was sent; 0 without one.</summary>
    public long CanaryMs { get; private set; }

    /// <summary>Records taken.</summary>
    public IReadOnlyList<ExampleRecord> Records => _records;

    /// <summary>Good examples of each record.</summary>
    public ReadOnlySpan<int> Groups => CollectionsMarshal.AsSpan(_groups);

    /// <summary>n, examples.</summary>
    public int Count => Features.Count;

    /// <summary>Ids and numbers.</summary>
    public FeatureBatch Features { get; }

    /// <summary>Distinct ids.</summary>
    public BatchIds Ids { get; }

    /// <summary>Labels and weights.</summary>
    public Targets Targets { get; }

    /// <summary>Values of a row; the same in every table of the model.</summary>
    public int RowLength { get; }

    /// <summary>Newest event time of each distinct id, in Unix seconds.</summary>
    public ReadOnlySpan<uint> EventTimes => _eventTimes.AsSpan(0, Ids.Count);

    /// <summary>Value of the baseline feature of each example; empty without a baseline.</summary>
    public ReadOnlySpan<ulong> BaselineKeys => CollectionsMarshal.AsSpan(_baseline);

    /// <summary>Distinct rows × (1 + k): what lookups bring.</summary>
    public Span<float> Rows => _rows.AsSpan(0, Ids.Count * RowLength);

    /// <summary>Distinct rows × (1 + k), summed over examples: what learning makes.</summary>
    public Span<float> RowGradients => _rowGradients.AsSpan(0, Ids.Count * RowLength);

    /// <summary>n × t probabilities from before learning.</summary>
    public Span<float> Scores => _scores.AsSpan(0, Count * _spec.Tasks.Length);

    /// <summary>Starts over with a partition's record at an offset.</summary>
    public void Begin(OwnedPartition partition, long offset)
    {
        Partition = partition;
        From = Through = offset;
        WatermarkMs = partition.WatermarkMs;
        CanaryMs = 0;
        _records.Clear();
        _groups.Clear();
        _isRead.Clear();
        _times.Clear();
        _baseline.Clear();
        Features.Clear();
        Targets.Clear();
    }

    /// <summary>Adds a record.</summary>
    /// <param name="record">The next one of the partition.</param>
    /// <param name="refused">Told of each example that has a value its feature cannot take; it is left out.</param>
    public void Add(in ExampleRecord record, Action<FeatureException> refused)
    {
        var group = record.Group;
        var before = Count;
        foreach (var example in group.Examples)
        {
            try
            {
                _extractor.Append(group.Shared, example.Features, Features);
                Targets.Add(example);
                AddBaseline();
                _isRead.Add(true);
            }
            catch (FeatureException e)
            {
                _isRead.Add(false);
                refused(e);
            }
        }

        _records.Add(record);
        _groups.Add(Count - before);
        _times.Add((uint)Math.Clamp(group.EventTimeMs / 1000, 0, uint.MaxValue));
        Through = record.NextOffset;
        WatermarkMs = Math.Max(WatermarkMs, group.EmittedTimeMs);
        CanaryMs = Math.Max(CanaryMs, group.CanarySentMs);
    }

    /// <summary>Ends it: the distinct ids and their event times are known then.</summary>
    public void Complete()
    {
        Ids.Build(Features);
        Reserve(ref _eventTimes, Ids.Count);
        Reserve(ref _rows, Ids.Count * RowLength);
        Reserve(ref _rowGradients, Ids.Count * RowLength);
        Reserve(ref _scores, Count * _spec.Tasks.Length);
        _eventTimes.AsSpan(0, Ids.Count).Clear();
        var (example, occurrence) = (0, 0);
        for (var g = 0; g < _groups.Count; g++)
        {
            example += _groups[g];
            var end = example == 0 || Features.EmbeddedFeatures == 0 ? 0 : Features.Range(example - 1, Features.EmbeddedFeatures - 1).End.Value;
            for (; occurrence < end; occurrence++)
            {
                ref var time = ref _eventTimes[Ids.Rows[occurrence]];
                time = Math.Max(time, _times[g]);
            }
        }
    }

    /// <summary>
    /// Leaves all its examples out: learning from them gave values beyond all measure, and one such value in a row or in the
    /// dense parameters would stay there and spread. Its records still count as passed.
    /// </summary>
    /// <returns>Examples left out.</returns>
    public int LeaveOut()
    {
        var count = Count;
        Features.Clear();
        Targets.Clear();
        _baseline.Clear();
        CollectionsMarshal.AsSpan(_groups).Clear();
        CollectionsMarshal.AsSpan(_isRead).Clear();
        Ids.Build(Features);
        return count;
    }

    /// <summary>Gives each record's scores, NaN for examples that could not be read.</summary>
    public void Report(IScoreSink sink)
    {
        var tasks = _spec.Tasks.Length;
        var all = new float[_isRead.Count * tasks];
        var read = 0;
        for (var e = 0; e < _isRead.Count; e++)
        {
            var scores = all.AsSpan(e * tasks, tasks);
            if (_isRead[e])
            {
                Scores.Slice(read++ * tasks, tasks).CopyTo(scores);
            }
            else
            {
                scores.Fill(float.NaN);
            }
        }

        var at = 0;
        foreach (var record in _records)
        {
            var length = record.Group.Examples.Count * tasks;
            sink.Scored(Partition.Index, record, all.AsSpan(at, length));
            at += length;
        }
    }

    private void AddBaseline()
    {
        if (_spec.Training.Baseline is not null)
        {
            var example = Count - 1;
            _baseline.Add(
                _baselineId >= 0 ? Features.Ids(example, _baselineId) is [var id, ..] ? id : 0
                : _baselineNumber >= 0 ? BitConverter.SingleToUInt32Bits(Features.AllNumbers[(example * Features.NumericFeatures) + _baselineNumber])
                : 0);
        }
    }

    private static void Reserve<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length)
        {
            buffer = new T[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length)];
        }
    }
}
