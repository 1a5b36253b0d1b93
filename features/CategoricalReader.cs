using System.Globalization;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Features;

/// <summary>Turns the raw value of one categorical feature into ids.</summary>
internal sealed class CategoricalReader(CategoricalFeature feature)
{
    private const string AllowedOne = "one text or number (set a separator for several values)";
    private readonly ulong _salt = FeatureId.Salt(feature.Name);

    /// <summary>The field the value comes from.</summary>
    public string Source => feature.Source;

    /// <summary>Adds the ids of a value; nothing for a missing or empty one.</summary>
    /// <exception cref="FeatureException">The feature cannot take the value; nothing was added.</exception>
    public void Read(FeatureValue? value, List<ulong> into)
    {
        switch (value?.KindCase)
        {
            case null or FeatureValue.KindOneofCase.None:
                return;
            case FeatureValue.KindOneofCase.Text:
                ReadText(value.Text, into);
                return;
            case FeatureValue.KindOneofCase.List:
                ReadList(value.List, into);
                return;
            case var _ when feature.Bucketize is { } bucketize:
                into.Add(FeatureId.Of(_salt, RawNumber.Bucket(bucketize, RawNumber.Of(feature.Name, value))));
                return;
            case FeatureValue.KindOneofCase.Integer:
                into.Add(FeatureId.Of(_salt, value.Integer));
                return;
            default:
                into.Add(FeatureId.Of(_salt, Exact(RawNumber.Of(feature.Name, value))));
                return;
        }
    }

    private double Exact(double number) => RefuseInexact(feature.Name, number) is { } mistake ? throw mistake : number;

    private void ReadText(string text, List<ulong> into)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (feature.Bucketize is { } bucketize)
        {
            into.Add(FeatureId.Of(_salt, RawNumber.Bucket(bucketize, RawNumber.Of(feature.Name, text))));
        }
        else if (feature.Separator is not { } separator)
        {
            into.Add(FeatureId.Of(_salt, text));
        }
        else
        {
            RequireFew(text.AsSpan().Count(separator) + 1);
            foreach (var part in text.AsSpan().Split(separator))
            {
                AddPart(text.AsSpan(part), into);
            }
        }
    }

    private void ReadList(TextList list, List<ulong> into)
    {
        if (feature.Separator is null)
        {
            throw RefuseList(feature.Name);
        }

        RequireFew(list.Values.Count);
        foreach (var part in list.Values)
        {
            AddPart(part, into);
        }
    }

    /// <summary>The refusal of a list by a feature that takes one value.</summary>
    public static FeatureException RefuseList(string feature) => new(feature, "a list", AllowedOne);

    /// <summary>The refusal of a number that does not say which integer it is; null for one that does.</summary>
    public static FeatureException? RefuseInexact(string feature, double number) => Math.Abs(number) < FeatureLimits.ExactBelow
        ? null
        : new FeatureException(feature, number.ToString(CultureInfo.InvariantCulture), $"text or a number: {FeatureLimits.AllowedAsId}");

    /// <summary>The refusal of more values than a feature may have; null for fewer.</summary>
    public static FeatureException? RefuseMany(string feature, int values) => values <= FeatureLimits.MaxValues
        ? null
        : new FeatureException(
            feature,
            string.Create(CultureInfo.InvariantCulture, $"{values:N0} values"),
            string.Create(CultureInfo.InvariantCulture, $"at most {FeatureLimits.MaxValues:N0}"));

    private void RequireFew(int values)
    {
        if (RefuseMany(feature.Name, values) is { } mistake)
        {
            throw mistake;
        }
    }

    private void AddPart(ReadOnlySpan<char> part, List<ulong> into)
    {
        if (!part.IsEmpty)
        {
            into.Add(FeatureId.Of(_salt, part));
        }
    }
}
