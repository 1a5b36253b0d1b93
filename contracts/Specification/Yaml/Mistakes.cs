namespace Monolith.Contracts.Specification.Yaml;

/// <summary>Collects mistakes, and knows where each key path stands in the file.</summary>
internal sealed class Mistakes
{
    private readonly List<SpecMistake> _mistakes = [];
    private readonly Dictionary<string, (int Line, int Column)> _places = [];

    /// <summary>Whether there are any.</summary>
    public bool Any => _mistakes.Count > 0;

    /// <summary>A path and a key below it.</summary>
    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    /// <summary>The mistakes in the order of the file.</summary>
    public IReadOnlyList<SpecMistake> InOrder() => [.. _mistakes.OrderBy(m => m.Line).ThenBy(m => m.Column)];

    /// <summary>Says where a path stands.</summary>
    public void Place(string path, Node node) => _places.TryAdd(path, (node.Line, node.Column));

    /// <summary>Adds a mistake at a place.</summary>
    public void Add(int line, int column, string path, string found, string allowed) =>
        _mistakes.Add(new SpecMistake(line, column, path, found, allowed));

    /// <summary>Adds a mistake at a node.</summary>
    public void Add(Node at, string path, string found, string allowed) => Add(at.Line, at.Column, path, found, allowed);

    /// <summary>
    /// Adds a mistake at a path, or at what is nearest above it in the file. Left out where the path, something below or
    /// above it has a mistake already: what follows from a mistake is no further mistake.
    /// </summary>
    public void AddUnlessKnown(string path, string found, string allowed)
    {
        if (_mistakes.Exists(m => m.Path.Length > 0 && (IsWithin(m.Path, path) || IsWithin(path, m.Path))))
        {
            return;
        }

        var (line, column) = PlaceOf(path);
        Add(line, column, path, found, allowed);
    }

    private static bool IsWithin(string inner, string outer) =>
        inner == outer || (inner.StartsWith(outer, StringComparison.Ordinal) && inner[outer.Length] is '.' or '[');

    private (int Line, int Column) PlaceOf(string path)
    {
        while (path.Length > 0)
        {
            if (_places.TryGetValue(path, out var place))
            {
                return place;
            }

            path = path[..Math.Max(path.LastIndexOfAny(['.', '[']), 0)];
        }

        return _places.GetValueOrDefault("", (1, 1));
    }
}
