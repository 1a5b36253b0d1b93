using System.Text.Json.Serialization;
using Monolith.Contracts.Events;

namespace Monolith.Serving.Api;

/// <summary>What <c>POST /v1/models/{model}/score</c> takes.</summary>
public sealed record ScoreRequest
{
    /// <summary>Names the request, in the answer and in the events that follow; made up when absent.</summary>
    public string? RequestId { get; init; }

    /// <summary>The user's and the context's raw values, by field, once a request.</summary>
    public Dictionary<string, FeatureValue>? Shared { get; init; }

    /// <summary>The items to score; at least one, unless only the canary is asked for.</summary>
    public List<Candidate>? Candidates { get; init; }

    /// <summary>Whether the answer says how far canaries have come.</summary>
    public bool Canary { get; init; }
}

/// <summary>An item to score.</summary>
public sealed record Candidate
{
    /// <summary>The item; once a request.</summary>
    public required string ItemId { get; init; }

    /// <summary>The item's own raw values, by field. A field that is shared too is taken from here.</summary>
    public Dictionary<string, FeatureValue>? Features { get; init; }
}

/// <summary>Reads requests. Strict: a misspelt property is an error, not a silent default.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    Converters = [typeof(FeatureValueConverter)])]
[JsonSerializable(typeof(ScoreRequest))]
internal sealed partial class ScoreJson : JsonSerializerContext;
