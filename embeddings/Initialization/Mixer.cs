namespace Monolith.Embeddings.Initialization;

/// <summary>The 64-bit mixer of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).</summary>
internal static class Mixer
{
    /// <summary>2⁶⁴/φ, odd: consecutive multiples are spread evenly.</summary>
    public const ulong Golden = 0x9e3779b97f4a7c15UL;

    /// <summary>A bijection whose output bits each depend on all input bits.</summary>
    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9UL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebUL;
        return x ^ (x >> 31);
    }

    /// <summary>Uniform in [0, 1): 24 random bits.</summary>
    public static float Unit(ulong bits) => (bits >> 40) * (1f / (1 << 24));
}
