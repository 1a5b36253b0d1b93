using System.ComponentModel.DataAnnotations;

namespace Monolith.Serving.Api;

/// <summary>Settings of the scoring API.</summary>
public sealed record ScoringOptions
{
    /// <summary>Largest body of a scoring request, in bytes; a larger one is refused without being read.</summary>
    [Range(1 << 10, 1 << 30)]
    public long MaxBodyBytes { get; init; } = 8 << 20;
}
