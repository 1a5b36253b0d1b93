namespace Monolith.Contracts.Events;

/// <summary>
/// Limits of events. They bound what one event can cause further on: the examples made of it, their memory and their time.
/// They hold for HTTP and for Kafka alike.
/// </summary>
public static class EventLimits
{
    /// <summary>Bytes of an id (event, request, item) and of a kind of action, as UTF-8.</summary>
    public const int MaxIdBytes = 512;

    /// <summary>Items that an impression shows.</summary>
    public const int MaxItems = 10_000;

    /// <summary>Versions that an impression names: one for each shard and one of the dense parameters.</summary>
    public const int MaxVersions = Specification.SpecLimits.Shards + 1;

    /// <summary>Features that a request shares, and features of one item.</summary>
    public const int MaxFeatures = 2_000;

    /// <summary>Bytes of a request's shared features, as protobuf: each example that is emitted alone carries them.</summary>
    public const int MaxSharedBytes = 256 << 10;

    /// <summary>Bytes of one item with its features, as protobuf.</summary>
    public const int MaxItemBytes = 256 << 10;

    /// <summary>
    /// Bytes of shared features, times items: actions on the items one by one write the shared features as often as that.
    /// </summary>
    public const long MaxSharedBytesTimesItems = 64 << 20;

    /// <summary>
    /// Values that an impression's examples have in all: those of the shared features count once for each item. About 100
    /// bytes of a trainer's memory each.
    /// </summary>
    public const long MaxExampleValues = 2_000_000;

    /// <summary>Levels of nested JSON.</summary>
    public const int MaxJsonDepth = 16;

    /// <summary>
    /// Bytes of a log's largest record that an event leaves free, for the key, the headers and the labels of what is made of it.
    /// </summary>
    public const int ReservedRecordBytes = 8 << 10;

    /// <summary>The largest event, as protobuf, on a log whose records have at most so many bytes.</summary>
    public static int MaxEventBytes(int maxRecordBytes) => Math.Max(0, maxRecordBytes - ReservedRecordBytes);
}
