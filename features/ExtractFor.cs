namespace Monolith.Features;

/// <summary>What values are extracted for.</summary>
public enum ExtractFor
{
    /// <summary>Learning: values as they were shown.</summary>
    Training,

    /// <summary>Scoring: a feature with <c>score_as</c> takes that value whatever the request says.</summary>
    Scoring,
}
