namespace Monolith.Contracts.Sync;

/// <summary>
/// The keys and fields in Redis through which parameters reach replicas (docs/sync.md). The braces around the model are
/// part of the key: in a Redis cluster they put all of a model's keys into one slot, so that one transaction spans them.
/// </summary>
public static class RedisNames
{
    /// <summary>The shard number under which the dense parameters travel.</summary>
    public const int Dense = -1;

    /// <summary>Field of <see cref="Head"/>: the epoch.</summary>
    public const string EpochField = "epoch";

    /// <summary>Field of <see cref="Head"/>: newest sequence published in the epoch.</summary>
    public const string SequenceField = "sequence";

    /// <summary>Field of <see cref="Head"/>: the newest snapshot, relative to the snapshot folder; empty when there is none.</summary>
    public const string BaseField = "base";

    /// <summary>Field of <see cref="Head"/>: the sequence of the epoch that the base equals; without a base 0, the start.</summary>
    public const string BaseSequenceField = "base_sequence";

    /// <summary>Field of <see cref="Head"/>: fingerprint of the part's layout (<see cref="Specification.SpecLayout"/>).</summary>
    public const string LayoutField = "layout";

    /// <summary>Field of <see cref="Head"/>: emission time learned through at the newest sequence, in Unix milliseconds.</summary>
    public const string WatermarkField = "watermark_ms";

    /// <summary>
    /// A shard's delta: the change from one sequence to the next, with a time to live. The first of its pieces; see
    /// <see cref="Piece"/>.
    /// </summary>
    public static string Delta(string model, int shard, long epoch, long sequence) =>
        $"monolith:{{{model}}}:delta:{shard}:{epoch}:{sequence}";

    /// <summary>
    /// The newest dense parameters, as a delta that says all of them, overwritten by each that follows. The first of its pieces.
    /// </summary>
    public static string DenseState(string model) => $"monolith:{{{model}}}:dense";

    /// <summary>The key of a piece of a delta: pieces keep values small (<see cref="Sync.Delta.PieceBytes"/>).</summary>
    /// <param name="first">The key of the first piece.</param>
    /// <param name="piece">0: the first.</param>
    public static string Piece(string first, int piece) => piece == 0 ? first : $"{first}:{piece}";

    /// <summary>The channel on which a delta's shard, epoch and sequence are announced, as <c>shard:epoch:sequence</c>.</summary>
    public static string Channel(string model) => $"monolith:{{{model}}}:delta";

    /// <summary>The hash that says where a shard is: its epoch, newest sequence and base.</summary>
    public static string Head(string model, int shard) => $"monolith:{{{model}}}:shard:{shard}";

    /// <summary>The epoch of the one activation that may publish for a part (<c>0</c>…, <c>-1</c> or <c>metrics</c>).</summary>
    public static string Lease(string model, string part) => $"monolith:{{{model}}}:lease:{part}";
}
