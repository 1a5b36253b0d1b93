namespace Monolith.Standalone.Specs;

/// <summary>
/// The words of a column's name, and what they suggest: <c>userId</c>, <c>user_id</c> and <c>USER ID</c> are alike.
/// </summary>
internal sealed class ColumnWords
{
    private const int PrefixMin = 4;

    private static readonly string[] Ids =
    [
        "id", "ids", "uid", "guid", "uuid", "key", "code", "zip", "zipcode", "postcode", "hash", "sku", "isbn", "asin", "phone",
        "nr",
    ];

    private static readonly string[] Amounts =
    [
        "price", "amount", "cost", "fee", "age", "count", "counts", "cnt", "num", "qty", "quantity", "duration", "length", "len",
        "size", "views", "visits", "clicks", "likes", "plays", "dist", "distance", "score", "rating", "rate", "ratio", "percent",
        "pct", "weight", "height", "width", "depth", "temp", "temperature", "sum", "total", "avg", "average", "mean", "min", "max",
        "seconds", "secs", "ms", "minutes", "hours", "days", "income", "salary", "balance", "revenue", "sales", "stars", "bytes",
        "popularity",
    ];

    private readonly string[] _words;

    /// <summary>Takes a name apart.</summary>
    public ColumnWords(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var words = new List<string>();
        var start = 0;
        for (var i = 0; i <= name.Length; i++)
        {
            var isEnd = i == name.Length || !char.IsLetterOrDigit(name[i]);
            var isHump = !isEnd && i > start && char.IsUpper(name[i]) && char.IsLower(name[i - 1]);
            if (isEnd || isHump)
            {
                if (i > start)
                {
                    words.Add(name[start..i].ToLowerInvariant());
                }

                start = isEnd ? i + 1 : i;
            }
        }

        _words = [.. words];
    }

    /// <summary>Whether it seems to name an id: never a number to be put into buckets.</summary>
    public bool IsId =>
        Array.Exists(_words, w => Ids.Contains(w) || (w.Length > 3 && w.EndsWith("id", StringComparison.Ordinal)));

    /// <summary>Whether it seems to name an amount.</summary>
    public bool IsAmount => !IsId && Array.Exists(_words, w => Amounts.Contains(w));

    /// <summary>Whether one of the words is there, or a longer word that begins or ends with it.</summary>
    public bool Has(params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            foreach (var own in _words)
            {
                if (own == word || (word.Length >= PrefixMin
                    && (own.StartsWith(word, StringComparison.Ordinal) || own.EndsWith(word, StringComparison.Ordinal))))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
