using System.Collections.Immutable;

namespace Monolith.Contracts.Specification.Yaml;

/// <summary>
/// Reads a mapping key by key. A mistake is noted and something allowed returned in its place, so that reading goes on;
/// <see cref="Done"/> notes every key that nobody asked for.
/// </summary>
internal sealed class MapReader
{
    private readonly MapNode? _map;
    private readonly Mistakes _mistakes;
    private readonly List<string> _known = [];

    /// <summary>Reads a node, which should be a mapping.</summary>
    public MapReader(Node node, string path, Mistakes mistakes)
    {
        (Path, _mistakes, Node) = (path, mistakes, node);
        mistakes.Place(path, node);
        _map = node as MapNode;
        if (_map is null)
        {
            mistakes.Add(node, path, node.Found, "a mapping (key: value)");
        }
    }

    /// <summary>The mapping's key path.</summary>
    public string Path { get; }

    /// <summary>The mapping.</summary>
    public Node Node { get; }

    /// <summary>Whether the key is there.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>A text; null when it is absent.</summary>
    public string? Text(string key, string allowed = "a text")
    {
        switch (Find(key))
        {
            case null:
                return null;
            case ScalarNode { IsNull: false } scalar:
                return scalar.Text;
            case var other:
                Note(key, other, allowed);
                return null;
        }
    }

    /// <summary>A text that must be there; empty after a mistake.</summary>
    public string RequiredText(string key, string allowed, Func<string, bool>? isAllowed = null)
    {
        if (Find(key) is not { } node)
        {
            Missing(key, allowed);
            return "";
        }

        if (node is not ScalarNode { IsNull: false } scalar)
        {
            Note(key, node, allowed);
            return "";
        }

        if (scalar.Text.Length == 0 || isAllowed?.Invoke(scalar.Text) == false)
        {
            Note(key, node, allowed);
        }

        return scalar.Text;
    }

    /// <summary>A scalar of a kind; the default when it is absent.</summary>
    public T Value<T>(string key, Scalar<T> kind, T otherwise)
        where T : struct => Find(key) is { } node ? Read(node, key, kind) ?? otherwise : otherwise;

    /// <summary>A scalar of a kind; null when it is absent.</summary>
    public T? Optional<T>(string key, Scalar<T> kind)
        where T : struct => Find(key) is { } node ? Read(node, key, kind) : null;

    /// <summary>A scalar of a kind that must be there.</summary>
    public T Required<T>(string key, Scalar<T> kind, T afterMistake)
        where T : struct
    {
        if (Find(key) is not { } node)
        {
            Missing(key, kind.Allowed);
            return afterMistake;
        }

        return Read(node, key, kind) ?? afterMistake;
    }

    /// <summary>A number as single precision.</summary>
    public float Single(string key, Scalar<double> kind, float otherwise) => (float)Value(key, kind, otherwise);

    /// <summary>A mapping; null when it is absent.</summary>
    public MapReader? Map(string key) => Find(key) is { } node ? new MapReader(node, Mistakes.Join(Path, key), _mistakes) : null;

    /// <summary>
    /// A mapping whose <c>kind</c> says how the rest is read; the default when it is absent or its kind is unknown.
    /// </summary>
    public T Kind<T>(string key, T otherwise, params (string Kind, Func<MapReader, T> Read)[] kinds) =>
        Map(key) is { } map ? map.ReadKind(otherwise, kinds) : otherwise;

    /// <summary>The same for a mapping that must be there.</summary>
    public T RequiredKind<T>(string key, T afterMistake, params (string Kind, Func<MapReader, T> Read)[] kinds)
    {
        if (!Has(key))
        {
            Missing(key, $"a mapping whose kind is one of {string.Join(", ", kinds.Select(k => k.Kind))}");
        }

        return Kind(key, afterMistake, kinds);
    }

    /// <summary>This mapping, read as its <c>kind</c> says.</summary>
    public T ReadKind<T>(T afterMistake, params (string Kind, Func<MapReader, T> Read)[] kinds)
    {
        if (_map is null)
        {
            return afterMistake;
        }

        var words = string.Join(", ", kinds.Select(k => k.Kind));
        var found = RequiredText("kind", $"one of {words}");
        var index = Array.FindIndex(kinds, k => k.Kind == found);
        if (index < 0)
        {
            if (found.Length > 0)
            {
                var suggestion = Suggestion.For(found, kinds.Select(k => k.Kind));
                _mistakes.Add(Find("kind")!, Mistakes.Join(Path, "kind"), $"'{found}'{suggestion}", $"one of {words}");
            }

            // What its other keys should be depends on the kind, so they are not looked at.
            return afterMistake;
        }

        var value = kinds[index].Read(this);
        Done();
        return value;
    }

    /// <summary>All entries of a mapping whose keys are names that the file chooses; scalars of one kind.</summary>
    public List<(string Key, T Value)> Entries<T>(Scalar<T> kind)
        where T : struct
    {
        var entries = new List<(string, T)>();
        foreach (var (name, _) in _map?.Entries ?? [])
        {
            if (Optional(name.Text, kind) is { } value)
            {
                entries.Add((name.Text, value));
            }
        }

        return entries;
    }

    /// <summary>A list of mappings.</summary>
    public ImmutableArray<T> List<T>(string key, bool required, string allowed, Func<MapReader, T> read)
    {
        var items = ImmutableArray.CreateBuilder<T>();
        foreach (var (item, path) in Items(key, required, allowed))
        {
            items.Add(read(new MapReader(item, path, _mistakes)));
        }

        return items.ToImmutable();
    }

    /// <summary>A list of scalars of a kind.</summary>
    public ImmutableArray<T> Scalars<T>(string key, bool required, Scalar<T> kind)
        where T : struct
    {
        var items = ImmutableArray.CreateBuilder<T>();
        foreach (var (item, path) in Items(key, required, $"a list of: {kind.Allowed}"))
        {
            if (item is ScalarNode { IsNull: false } scalar && kind.Read(scalar.Text) is { } value)
            {
                items.Add(value);
            }
            else
            {
                _mistakes.Add(item, path, item.Found, kind.Allowed);
            }
        }

        return items.ToImmutable();
    }

    /// <summary>A list of texts.</summary>
    public ImmutableArray<string> Texts(string key, string allowed)
    {
        var items = ImmutableArray.CreateBuilder<string>();
        foreach (var (item, path) in Items(key, true, allowed))
        {
            if (item is ScalarNode { IsNull: false, Text.Length: > 0 } scalar)
            {
                items.Add(scalar.Text);
            }
            else
            {
                _mistakes.Add(item, path, item.Found, "a text");
            }
        }

        return items.ToImmutable();
    }

    /// <summary>Notes the keys that nobody asked for.</summary>
    public void Done()
    {
        foreach (var (key, _) in _map?.Entries ?? [])
        {
            if (!_known.Contains(key.Text))
            {
                _mistakes.Add(
                    key, Mistakes.Join(Path, key.Text), $"an unknown key{Suggestion.For(key.Text, _known)}",
                    string.Join(", ", _known));
            }
        }
    }

    private (Node Item, string Path)[] Items(string key, bool required, string allowed)
    {
        switch (Find(key))
        {
            case null when required:
                Missing(key, allowed);
                return [];
            case null:
                return [];
            case ListNode list:
                var path = Mistakes.Join(Path, key);
                var items = list.Items.Select((item, i) => (item, $"{path}[{i}]")).ToArray();
                foreach (var (item, itemPath) in items)
                {
                    _mistakes.Place(itemPath, item);
                }

                return items;
            case var other:
                Note(key, other, allowed);
                return [];
        }
    }

    private T? Read<T>(Node node, string key, Scalar<T> kind)
        where T : struct
    {
        if (node is ScalarNode { IsNull: false } scalar && kind.Read(scalar.Text) is { } value)
        {
            return value;
        }

        Note(key, node, kind.Allowed);
        return null;
    }

    private Node? Find(string key)
    {
        if (!_known.Contains(key))
        {
            _known.Add(key);
        }

        foreach (var (name, value) in _map?.Entries ?? [])
        {
            if (name.Text == key)
            {
                _mistakes.Place(Mistakes.Join(Path, key), value);
                return value;
            }
        }

        return null;
    }

    private void Note(string key, Node found, string allowed) =>
        _mistakes.Add(found, Mistakes.Join(Path, key), found.Found, allowed);

    private void Missing(string key, string allowed)
    {
        // Of what is no mapping at all, that alone is said.
        if (_map is not null)
        {
            _mistakes.Add(Node, Mistakes.Join(Path, key), "nothing", $"{allowed} (required)");
        }
    }
}
