namespace Monolith.Contracts.Events;

/// <summary>Headers of a record that was put aside, in the dead-letter or the orphans topic. Values are UTF-8 text.</summary>
public static class AsideHeaders
{
    /// <summary>Why it was put aside.</summary>
    public const string Reason = "monolith-reason";

    /// <summary>The topic that it came from.</summary>
    public const string Topic = "monolith-topic";

    /// <summary>The partition that it came from.</summary>
    public const string Partition = "monolith-partition";

    /// <summary>Its offset there.</summary>
    public const string Offset = "monolith-offset";

    /// <summary>Only of a record that was too large to be kept whole: what its length and hash were.</summary>
    public const string Cut = "monolith-cut";
}
