using System.Globalization;
using System.Text;
using Monolith.Contracts.Events;
using Monolith.Serving.Scoring;

namespace Monolith.Serving.Api;

/// <summary>What a well-formed request can still get wrong.</summary>
internal static class ScoreRequestCheck
{
    private const int ShownCharacters = 60;

    /// <summary>Why a request of this size is refused before it is read; null when it is not.</summary>
    public static string? FirstExcess(ScoreRequestSize size, ModelScorer scorer)
    {
        if (size.Values > ScoreLimits.MaxValues)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"the request has {size.Values} values; at most {ScoreLimits.MaxValues} are allowed");
        }

        return TooMany(size.Candidates, scorer);
    }

    /// <summary>The first mistake: what was wrong and what is allowed; null when there is none.</summary>
    public static string? FirstMistake(ScoreRequest request, ModelScorer scorer)
    {
        var candidates = request.Candidates ?? [];
        if (candidates.Count == 0 && !request.Canary)
        {
            return $"'candidates' is missing or empty; a request has 1 to {scorer.MaxCandidates} candidates";
        }

        return TooMany(candidates.Count, scorer)
            ?? LongId("request_id", request.RequestId)
            ?? UnknownField(request.Shared, "shared", scorer)
            ?? FirstMistake(candidates, scorer);
    }

    private static string? TooMany(int candidates, ModelScorer scorer) => candidates <= scorer.MaxCandidates
        ? null
        : $"the request has {candidates} candidates; model '{scorer.Spec.Name}' takes at most {scorer.MaxCandidates} "
            + (scorer.MaxCandidates == scorer.Spec.Serving.MaxCandidates
                ? "(serving.max_candidates of its specification)"
                : "(its network and features are so large that more would take too long)");

    private static string? FirstMistake(List<Candidate> candidates, ModelScorer scorer)
    {
        var seen = new HashSet<string>(candidates.Count, StringComparer.Ordinal);
        for (var i = 0; i < candidates.Count; i++)
        {
            if (candidates[i] is not { } candidate)
            {
                return $"candidates[{i}] is null; a candidate is an object with 'item_id' and 'features'";
            }

            if (string.IsNullOrEmpty(candidate.ItemId))
            {
                return $"candidates[{i}].item_id is empty; it names the item";
            }

            if (LongId("item_id", candidate.ItemId) is { } tooLong)
            {
                return $"candidates[{i}].{tooLong}";
            }

            if (!seen.Add(candidate.ItemId))
            {
                return $"candidates[{i}].item_id '{candidate.ItemId}' occurs twice; an item is in a request once";
            }

            if (candidate.Features is { Count: > 0 }
                && UnknownField(candidate.Features, $"candidates[{i}].features", scorer) is { } mistake)
            {
                return mistake;
            }
        }

        return null;
    }

    private static string? LongId(string name, string? id) =>
        id?.Length > ScoreLimits.MaxIdBytes / 3 && Encoding.UTF8.GetByteCount(id) > ScoreLimits.MaxIdBytes
            ? $"{name} has more than {ScoreLimits.MaxIdBytes} bytes"
            : null;

    private static string? UnknownField(Dictionary<string, FeatureValue>? values, string place, ModelScorer scorer)
    {
        if (values is null)
        {
            return null;
        }

        foreach (var (name, _) in values)
        {
            if (!scorer.Fields.Contains(name))
            {
                var shown = name.Length <= ShownCharacters ? name : $"{name.AsSpan(0, ShownCharacters)}…";
                return $"{place} has the unknown field '{shown}'; model '{scorer.Spec.Name}' takes "
                    + string.Join(", ", scorer.Fields.Order(StringComparer.Ordinal));
            }
        }

        return null;
    }
}
