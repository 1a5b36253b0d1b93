namespace Monolith.Trainer.Sources;

/// <summary>Sees every score the trainer gives before it learns: a replay's predictions file.</summary>
/// <remarks>
/// Called by all workers, concurrently for different partitions and in order within one. After a recovery records may be
/// scored again; the last call for a record counts.
/// </remarks>
public interface IScoreSink
{
    /// <summary>The scores of a group, before any of it was learned from.</summary>
    /// <param name="partition">0 to partitions − 1.</param>
    /// <param name="record">The group.</param>
    /// <param name="scores">n × t probabilities, example-major, in the order of the group's examples, NaN where an example could not be read; valid during the call.</param>
    void Scored(int partition, in ExampleRecord record, ReadOnlySpan<float> scores);
}
