using System.Collections.Concurrent;
using Monolith.Standalone.Specs;

namespace Monolith.Standalone.Replay;

/// <summary>Warns once a column of ids that look like missing values as tables and databases write them.</summary>
/// <param name="warn">Receives the warnings; null: nobody.</param>
internal sealed class MissingWarnings(Action<string>? warn)
{
    private readonly ConcurrentDictionary<string, bool> _warned = new();

    /// <summary>Looks at an id.</summary>
    /// <param name="file">The file's name.</param>
    /// <param name="line">The line it stands on.</param>
    /// <param name="column">The column it stands in.</param>
    /// <param name="text">The id.</param>
    public void Look(string file, long line, string column, ReadOnlySpan<char> text)
    {
        if (IsSpelling(text) && _warned.TryAdd(column, true))
        {
            warn?.Invoke(
                $"warning: {file}, line {line}: '{text}' in column '{column}' is learned as an id; where it means a missing value, "
                + "list it under source.missing in the specification");
        }
    }

    // "NA" may be Namibia.
    private static bool IsSpelling(ReadOnlySpan<char> text)
    {
        foreach (var spelling in ColumnProfile.MissingSpellings)
        {
            if (text.SequenceEqual(spelling) && spelling != "NA")
            {
                return true;
            }
        }

        return false;
    }
}
