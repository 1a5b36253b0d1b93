namespace Monolith.Contracts.Specification.Yaml;

/// <summary>Finds what somebody probably meant.</summary>
internal static class Suggestion
{
    /// <summary>"", or " (did you mean 'x'?)" with the known word nearest to the given one.</summary>
    public static string For(string word, IEnumerable<string> known)
    {
        if (word.Length > 64)
        {
            return "";
        }

        var nearest = known
            .Select(k => (Word: k, Distance: IsBeginning(word, k) ? 1 : Distance(word.ToLowerInvariant(), k.ToLowerInvariant())))
            .OrderBy(k => k.Distance).ThenBy(k => k.Word, StringComparer.Ordinal)
            .FirstOrDefault();
        return nearest.Word is not null && nearest.Distance <= Math.Max(1, word.Length / 3)
            ? $" (did you mean '{nearest.Word}'?)"
            : "";
    }

    private static bool IsBeginning(string a, string b) => Math.Min(a.Length, b.Length) >= 3
        && (b.StartsWith(a, StringComparison.OrdinalIgnoreCase) || a.StartsWith(b, StringComparison.OrdinalIgnoreCase));

    // Edits (insert, delete, replace, swap of neighbours) from one word to another: optimal string alignment.
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    d[i, j] = i + j;
                    continue;
                }

                var replaced = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(replaced, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
