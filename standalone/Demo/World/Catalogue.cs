using System.Collections.Concurrent;

namespace Monolith.Standalone.Demo.World;

/// <summary>
/// Items that come and go. There are always as many; number n takes the place of number n − count, and a place's
/// popularity (Zipf) stays, so new items may be popular at once. A function of the seed and the world's time.
/// </summary>
internal sealed class Catalogue
{
    /// <summary>Categories.</summary>
    public const int Categories = 24;

    private const float CategoryShare = 0.7f;
    private const int DrawsPerItem = 8;
    private readonly WorldOptions _options;
    private readonly float[] _categories = new float[Categories * Population.Dimension];
    private readonly double[] _popularity;
    private readonly int _stride;
    private readonly ConcurrentDictionary<long, Item> _items = new();

    public Catalogue(WorldOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Items, 2 * options.Candidates, nameof(options));
        _options = options;
        for (var category = 0; category < Categories; category++)
        {
            new SeededRandom(options.Seed, Draw.Category, category)
                .Direction(_categories.AsSpan(category * Population.Dimension, Population.Dimension));
        }

        _popularity = new double[options.Items];
        var sum = 0.0;
        for (var rank = 0; rank < _popularity.Length; rank++)
        {
            _popularity[rank] = sum += 1.0 / (rank + 10);
        }

        // A step that is coprime to the number of places visits them all before it comes back.
        _stride = Math.Max(1, (int)(options.Items * 0.618));
        while (Gcd(_stride, options.Items) != 1)
        {
            _stride++;
        }
    }

    /// <summary>Draws different items by popularity.</summary>
    /// <param name="random">Draws.</param>
    /// <param name="seconds">The world's time.</param>
    /// <param name="category">Of this category, as far as it has so many; null: of any.</param>
    /// <param name="into">Receives the items.</param>
    public void Sample(ref SeededRandom random, double seconds, int? category, Span<Item> into)
    {
        var newest = _options.Items - 1 + (long)(seconds * _options.ArrivalsPerSecond);
        var patience = into.Length * Categories * DrawsPerItem;
        for (var i = 0; i < into.Length; i++)
        {
            Item item;
            do
            {
                var found = Array.BinarySearch(_popularity, random.Unit() * _popularity[^1]);
                item = At(found < 0 ? ~found : found, newest);
                patience--;
            }
            while ((patience > 0 && category is not null && category != item.Category) || Contains(into[..i], item.Number));
            into[i] = item;
        }
    }

    /// <summary>An item by its number.</summary>
    public Item this[long number] => _items.TryGetValue(number, out var item) ? item : _items.GetOrAdd(number, Create);

    // Numbers n with (n · stride) mod places = place: the newest of them is there now.
    private Item At(int place, long newest)
    {
        var places = _options.Items;
        var phase = (long)place * Inverse(_stride, places) % places;
        var number = newest - ((newest - phase) % places);
        if (_items.Count > 8 * places)
        {
            _items.Clear();
        }

        return this[number];
    }

    private Item Create(long number)
    {
        var random = new SeededRandom(_options.Seed, Draw.Item, number);
        var category = random.Below(Categories);
        Span<float> own = stackalloc float[Population.Dimension];
        var quality = (float)(0.6 * random.Normal());
        random.Direction(own);
        var vector = new float[Population.Dimension];
        Vectors.Blend(_categories.AsSpan(category * Population.Dimension, Population.Dimension), own, CategoryShare, vector);
        return new Item(number, category, quality, vector);
    }

    private static bool Contains(ReadOnlySpan<Item> items, long number)
    {
        foreach (var item in items)
        {
            if (item.Number == number)
            {
                return true;
            }
        }

        return false;
    }

    private static long Inverse(int value, int modulus)
    {
        var (r, next, t, nextT) = ((long)modulus, (long)value, 0L, 1L);
        while (next != 0)
        {
            var quotient = r / next;
            (r, next) = (next, r - (quotient * next));
            (t, nextT) = (nextT, t - (quotient * nextT));
        }

        return t < 0 ? t + modulus : t;
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}

/// <summary>An item.</summary>
/// <param name="Number">Its number, in order of arrival.</param>
/// <param name="Category">Its category, which the application knows.</param>
/// <param name="Quality">How readily anybody clicks on it, in log odds; hidden.</param>
/// <param name="Vector">What it is like, of length 1; hidden.</param>
internal sealed record Item(long Number, int Category, float Quality, float[] Vector)
{
    /// <summary>The item's id.</summary>
    public string Id { get; } = FormattableString.Invariant($"i{Number}");
}
