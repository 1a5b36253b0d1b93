namespace Monolith.Contracts.Specification.Yaml;

/// <summary>A YAML value and where it starts.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
internal abstract record Node(int Line, int Column)
{
    /// <summary>The value in a message.</summary>
    public abstract string Found { get; }
}

/// <summary>A text, number or the like.</summary>
/// <param name="Text">Its text.</param>
/// <param name="IsNull">Whether it is an empty or null value.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
internal sealed record ScalarNode(string Text, bool IsNull, int Line, int Column) : Node(Line, Column)
{
    /// <inheritdoc/>
    public override string Found => IsNull ? "nothing" : $"'{(Text.Length <= 60 ? Text : string.Concat(Text.AsSpan(0, 60), "…"))}'";
}

/// <summary>A list.</summary>
/// <param name="Items">Its items.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
internal sealed record ListNode(IReadOnlyList<Node> Items, int Line, int Column) : Node(Line, Column)
{
    /// <inheritdoc/>
    public override string Found => "a list";
}

/// <summary>A mapping.</summary>
/// <param name="Entries">Keys, in order, each once.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
internal sealed record MapNode(IReadOnlyList<(ScalarNode Key, Node Value)> Entries, int Line, int Column) : Node(Line, Column)
{
    /// <inheritdoc/>
    public override string Found => "a mapping";
}
