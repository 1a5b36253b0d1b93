using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Trainer.Parts;

namespace Monolith.Trainer.Batches;

/// <summary>
/// Makes micro-batches of a worker's partitions: whole groups of one partition, up to the specification's number of examples
/// (a larger group goes alone), cut wherever a part stands ahead of the rest. Live, a batch goes when it is full or its
/// oldest record has waited long enough; from history, only full ones go, in turns, so that a run can be repeated.
/// </summary>
/// <param name="training">Sizes and waits.</param>
/// <param name="isHistory">Whether the source ends.</param>
/// <param name="time">Clock.</param>
/// <param name="refused">Told of each example that cannot be read.</param>
internal sealed class Collector(TrainingSpec training, bool isHistory, TimeProvider time, Action<FeatureException> refused)
{
    // Of a micro-batch; a group may have no examples.
    private const int MostRecords = 1024;
    private readonly List<(OwnedPartition Partition, PartitionFeed Feed)> _inputs = [];
    private int _turn;

    /// <summary>The partitions and what is read of them.</summary>
    public IReadOnlyList<(OwnedPartition Partition, PartitionFeed Feed)> Inputs => _inputs;

    /// <summary>Whether every partition has been taken to its end.</summary>
    public bool IsDrained => _inputs.TrueForAll(i => i.Feed.IsDrained);

    /// <summary>Starts over with these partitions.</summary>
    public void Reset(IEnumerable<(OwnedPartition Partition, PartitionFeed Feed)> inputs)
    {
        _inputs.Clear();
        _inputs.AddRange(inputs);
        _turn = 0;
    }

    /// <summary>Fills a batch if one is due.</summary>
    /// <param name="batch">Receives it.</param>
    /// <param name="wait">When none is due: how long until one may become so without further news.</param>
    public bool TryTake(MicroBatch batch, out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        for (var i = 0; i < _inputs.Count; i++)
        {
            var (partition, feed) = _inputs[_turn];
            if (IsDue(feed, out var rest))
            {
                Fill(batch, partition, feed);
                Turn();
                return true;
            }

            if (isHistory && !feed.IsDrained)
            {
                return false; // its turn: the order of batches must not depend on who reads faster
            }

            wait = wait < TimeSpan.Zero || (rest >= TimeSpan.Zero && rest < wait) ? rest : wait;
            Turn();
        }

        return false;
    }

    private void Turn() => _turn = (_turn + 1) % _inputs.Count;

    private bool IsDue(PartitionFeed feed, out TimeSpan rest)
    {
        rest = Timeout.InfiniteTimeSpan;
        var ended = feed.HasEnded; // before looking into the queue, which is complete then
        if (!feed.TryPeek(out _, out var arrived))
        {
            return false;
        }

        if (feed.Examples >= training.MicroBatch || feed.IsFull || ended)
        {
            return true;
        }

        if (isHistory)
        {
            return false;
        }

        rest = training.PartialAfter - time.GetElapsedTime(arrived);
        return rest <= TimeSpan.Zero;
    }

    private void Fill(MicroBatch batch, OwnedPartition partition, PartitionFeed feed)
    {
        feed.TryPeek(out var record, out _);
        batch.Begin(partition, record.Offset);
        var cut = partition.CutAfter(record.Offset);
        var taken = 0;
        do
        {
            batch.Add(record, refused);
            taken += record.Group.Examples.Count;
            feed.Take();
        }
        while (taken < training.MicroBatch
            && batch.Records.Count < MostRecords
            && feed.TryPeek(out record, out _)
            && record.Offset < cut
            && taken + record.Group.Examples.Count <= training.MicroBatch);

        batch.Complete();
        partition.Position = batch.Through;
        partition.WatermarkMs = batch.WatermarkMs;
        partition.Took();
    }
}
