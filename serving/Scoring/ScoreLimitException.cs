using Monolith.Serving.Api;

namespace Monolith.Serving.Scoring;

/// <summary>A request is beyond one of the <see cref="ScoreLimits"/>; the message names the limit and what is allowed.</summary>
/// <param name="message">The message.</param>
public sealed class ScoreLimitException(string message) : Exception(message);
