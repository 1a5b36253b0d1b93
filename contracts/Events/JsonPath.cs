namespace Monolith.Contracts.Events;

/// <summary>Where in a JSON text something stands; formatted only for a message.</summary>
public sealed class JsonPath
{
    private readonly JsonPath? _parent;
    private readonly string? _member;
    private readonly int _index;

    /// <summary>The whole text.</summary>
    public JsonPath()
    {
    }

    private JsonPath(JsonPath parent, string? member, int index)
    {
        _parent = parent;
        _member = member;
        _index = index;
    }

    /// <summary>A member of this object.</summary>
    public JsonPath Dot(string member) => new(this, member, 0);

    /// <summary>An element of this array.</summary>
    public JsonPath At(int index) => new(this, null, index);

    /// <inheritdoc/>
    public override string ToString() => _parent is null ? "$" : _member is null ? $"{_parent}[{_index}]" : $"{_parent}.{Shorten(_member)}";

    /// <summary>The exception that says what stands here instead of what is allowed.</summary>
    public EventFormatException Error(string wanted, string found) => new($"{this}: expected {wanted}, found {found}.");

    /// <summary>At most 60 characters of a text, for a message.</summary>
    public static string Shorten(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= 60 ? text : $"{text.AsSpan(0, char.IsHighSurrogate(text[59]) ? 59 : 60)}…";
    }
}
