namespace Monolith.Standalone.Demo.World;

/// <summary>
/// SplitMix64 (Steele, Lea and Flood, 2014): a small generator whose start is a hash of whatever names a draw, so that
/// anything about the simulated world can be computed again from its seed, in any order.
/// </summary>
internal struct SeededRandom
{
    private ulong _state;

    /// <summary>The draws named by a seed, a kind and two numbers.</summary>
    public SeededRandom(ulong seed, Draw kind, long a = 0, long b = 0)
    {
        _state = seed;
        _state = Next() ^ (ulong)kind;
        _state = Next() ^ (ulong)a;
        _state = Next() ^ (ulong)b;
        Next();
    }

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        var z = _state += 0x9e3779b97f4a7c15UL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in 0 … <paramref name="bound"/> − 1.</summary>
    public int Below(int bound) => (int)(Unit() * bound);

    /// <summary>Standard normal (Box and Muller, 1958).</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - Unit())) * Math.Cos(2 * Math.PI * Unit());

    /// <summary>A random direction: a vector of length 1.</summary>
    public void Direction(Span<float> into)
    {
        foreach (ref var x in into)
        {
            x = (float)Normal();
        }

        Vectors.Normalize(into);
    }
}

/// <summary>What is drawn; keeps the draws of one kind apart from those of another.</summary>
internal enum Draw
{
    /// <summary>The taste that the users of a segment share.</summary>
    SegmentTaste,

    /// <summary>Where a segment's taste slowly turns to.</summary>
    SegmentTurn,

    /// <summary>What is a user's own.</summary>
    User,

    /// <summary>What the items of a category share.</summary>
    Category,

    /// <summary>What is an item's own.</summary>
    Item,

    /// <summary>Everything that happens in one request.</summary>
    Request,
}
