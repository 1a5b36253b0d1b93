using Monolith.Serving.Scoring;

namespace Monolith.Serving.Api;

/// <summary>What a well-formed request can still get wrong.</summary>
internal static class ScoreRequestCheck
{
    /// <summary>The first mistake: what was wrong and what is allowed; null when there is none.</summary>
    public static string? FirstMistake(ScoreRequest request, ModelScorer scorer)
    {
        var candidates = request.Candidates ?? [];
        var limit = scorer.Spec.Serving.MaxCandidates;
        if (candidates.Count == 0 && !request.Canary)
        {
            return $"'candidates' is missing or empty; a request has 1 to {limit} candidates";
        }

        if (candidates.Count > limit)
        {
            return $"the request has {candidates.Count} candidates; model '{scorer.Spec.Name}' takes at most {limit} "
                + "(serving.max_candidates of its specification)";
        }

        return UnknownField(request.Shared, "shared", scorer) ?? FirstMistake(candidates, scorer);
    }

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

            if (!seen.Add(candidate.ItemId))
            {
                return $"candidates[{i}].item_id '{candidate.ItemId}' occurs twice; an item is in a request once";
            }

            if (UnknownField(candidate.Features, $"candidates[{i}].features", scorer) is { } mistake)
            {
                return mistake;
            }
        }

        return null;
    }

    private static string? UnknownField<T>(Dictionary<string, T>? values, string place, ModelScorer scorer)
    {
        foreach (var name in values?.Keys ?? Enumerable.Empty<string>())
        {
            if (!scorer.Fields.Contains(name))
            {
                return $"{place} has the unknown field '{name}'; model '{scorer.Spec.Name}' takes "
                    + string.Join(", ", scorer.Fields.Order(StringComparer.Ordinal));
            }
        }

        return null;
    }
}
