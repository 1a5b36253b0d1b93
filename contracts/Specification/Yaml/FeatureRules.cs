using System.Collections.Immutable;
using System.Globalization;

namespace Monolith.Contracts.Specification.Yaml;

/// <summary>What must hold of features.</summary>
internal static class FeatureRules
{
    private const int CrossedMax = 8;

    /// <summary>Notes every mistake.</summary>
    public static void Check(ModelSpec spec, Mistakes mistakes)
    {
        for (var i = 0; i < spec.Features.Length; i++)
        {
            var path = $"features[{i}]";
            if (spec.Features[i] is EmbeddedFeature embedded)
            {
                Table(spec, embedded, path, mistakes);
            }

            switch (spec.Features[i])
            {
                case CategoricalFeature categorical:
                    Label(spec, categorical.Source, path, mistakes);
                    Categorical(categorical, path, mistakes);
                    break;
                case CrossFeature cross:
                    Cross(spec, cross, path, mistakes);
                    break;
                case NumericFeature numeric:
                    Label(spec, numeric.Source, path, mistakes);
                    Numeric(numeric, path, mistakes);
                    break;
            }
        }
    }

    private static void Table(ModelSpec spec, EmbeddedFeature feature, string path, Mistakes mistakes)
    {
        string[] tables = [.. spec.Tables.Select(t => t.Name)];
        if (feature.Table.Length > 0 && !tables.Contains(feature.Table))
        {
            mistakes.AddUnlessKnown(
                $"{path}.table", $"'{feature.Table}'{Suggestion.For(feature.Table, tables)}", $"a table: {Rules.Words(tables)}");
        }
    }

    private static void Label(ModelSpec spec, string source, string path, Mistakes mistakes)
    {
        if (source.Length > 0 && spec.Tasks.Any(t => t.Label == source))
        {
            mistakes.AddUnlessKnown($"{path}.source", $"'{source}', which is a task's label", "anything but what is predicted");
        }
    }

    private static void Categorical(CategoricalFeature feature, string path, Mistakes mistakes)
    {
        if (feature.Separator is { Length: 0 })
        {
            mistakes.AddUnlessKnown($"{path}.separator", "an empty text", "the text between two values, such as \"|\"");
        }

        if (feature is { Separator: not null, Bucketize: not null })
        {
            mistakes.AddUnlessKnown($"{path}.bucketize", "bucketize and separator", "one of the two");
        }

        if (feature.Bucketize is BoundaryBuckets { Boundaries: var boundaries } && !IsAscending(boundaries))
        {
            mistakes.AddUnlessKnown(
                $"{path}.bucketize.boundaries", $"[{string.Join(", ", boundaries)}]", "at least one number, strictly ascending");
        }

        if (feature is { ScoreAs: { } text, Bucketize: not null })
        {
            ScoreAsNumber(text, path, mistakes);
        }
    }

    private static void Numeric(NumericFeature feature, string path, Mistakes mistakes)
    {
        if (feature.ScoreAs is { } text)
        {
            ScoreAsNumber(text, path, mistakes);
        }

        for (var t = 0; t < feature.Transforms.Length; t++)
        {
            if (feature.Transforms[t] is ClipTransform clip && !(clip.Low < clip.High))
            {
                mistakes.AddUnlessKnown(
                    $"{path}.transforms[{t}]", string.Create(CultureInfo.InvariantCulture, $"low {clip.Low} and high {clip.High}"),
                    "low below high");
            }
        }
    }

    private static void ScoreAsNumber(string text, string path, Mistakes mistakes)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var x) || !double.IsFinite(x))
        {
            mistakes.AddUnlessKnown($"{path}.score_as", $"'{text}'", "a number, since the feature is one");
        }
    }

    private static void Cross(ModelSpec spec, CrossFeature cross, string path, Mistakes mistakes)
    {
        if (cross.Of.Length is < 2 or > CrossedMax)
        {
            mistakes.AddUnlessKnown($"{path}.of", $"{cross.Of.Length} features", $"2 to {CrossedMax} features");
        }

        string[] allowed = [.. spec.Features.OfType<CategoricalFeature>().Where(f => f.Separator is null).Select(f => f.Name)];
        for (var c = 0; c < cross.Of.Length; c++)
        {
            if (!allowed.Contains(cross.Of[c]))
            {
                mistakes.AddUnlessKnown(
                    $"{path}.of[{c}]", $"'{cross.Of[c]}'{Suggestion.For(cross.Of[c], allowed)}",
                    $"a single-valued categorical feature: {Rules.Words(allowed)}");
            }
            else if (cross.Of.IndexOf(cross.Of[c]) < c)
            {
                mistakes.AddUnlessKnown($"{path}.of[{c}]", $"'{cross.Of[c]}' a second time", "each feature once");
            }
        }
    }

    private static bool IsAscending(ImmutableArray<double> x)
    {
        for (var i = 1; i < x.Length; i++)
        {
            if (!(x[i - 1] < x[i]))
            {
                return false;
            }
        }

        return x.Length > 0;
    }
}
