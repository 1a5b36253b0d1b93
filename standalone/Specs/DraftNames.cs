namespace Monolith.Standalone.Specs;

/// <summary>Names that a specification allows, each once, of column names that may be anything.</summary>
internal sealed class DraftNames
{
    private const int LengthMax = 63;
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    /// <summary>The name of a model from that of a file: lower-case letters, digits and dashes.</summary>
    public static string Model(string file)
    {
        var letters = file.Split('.')[0].ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-');
        var name = string.Concat(letters).Trim('-');
        name = name.Length > 0 && char.IsAsciiLetter(name[0]) ? name : $"model-{name}";
        return name[..Math.Min(name.Length, LengthMax)].TrimEnd('-');
    }

    /// <summary>A name for a column: letters, digits and underscores; numbered where another has it already.</summary>
    public string Add(ColumnProfile column)
    {
        var name = string.Concat(column.Name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')).Trim('_');
        name = name.Any(char.IsAsciiLetter) ? name : $"column_{column.Index + 1}";
        name = char.IsAsciiLetter(name[0]) ? name : $"column_{name}";
        var wanted = name[..Math.Min(name.Length, LengthMax)];
        for (var n = 2; !_taken.Add(wanted); n++)
        {
            var suffix = $"_{n}";
            wanted = name[..Math.Min(name.Length, LengthMax - suffix.Length)] + suffix;
        }

        return wanted;
    }
}
