namespace Monolith.Features;

/// <summary>A value that a feature cannot take: the message says which, what it was and what is allowed.</summary>
public sealed class FeatureException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="feature">Name of the feature.</param>
    /// <param name="value">The value, as text, shortened when it is long.</param>
    /// <param name="allowed">What the feature takes.</param>
    public FeatureException(string feature, string value, string allowed)
        : base($"feature '{feature}': '{Shorten(value)}' is not allowed; it takes {allowed}")
    {
        Feature = feature;
        Value = Shorten(value);
        Allowed = allowed;
    }

    /// <summary>Name of the feature.</summary>
    public string Feature { get; }

    /// <summary>The value found.</summary>
    public string Value { get; }

    /// <summary>What is allowed.</summary>
    public string Allowed { get; }

    private static string Shorten(string value) => value.Length <= 60 ? value : $"{value.AsSpan(0, 60)}…";
}
