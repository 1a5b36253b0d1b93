using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Features;

/// <summary>
/// What a model's features take, checked on values as they lie in an event's bytes, before an event is accepted. A value
/// passes here exactly when <see cref="FeatureExtractor"/> can read it. Safe for concurrent use.
/// </summary>
public sealed class FieldRules
{
    private readonly Dictionary<ulong, Rule[]> _rules;

    /// <summary>Prepares the rules of a validated specification.</summary>
    public FieldRules(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        _rules = spec.Features.Select(Rule.Of).OfType<Rule>().GroupBy(r => r.Source)
            .ToDictionary(g => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(g.Key)), g => g.ToArray());
    }

    /// <summary>Checks the value of a field; a field that no feature is made of takes anything.</summary>
    /// <param name="field">The field's name, as UTF-8.</param>
    /// <param name="value">Its value.</param>
    /// <param name="values">How many ids and numbers an example has of it.</param>
    /// <returns>What is wrong; null when nothing is.</returns>
    public FeatureException? Check(ReadOnlySpan<byte> field, in FieldValue value, out int values)
    {
        values = 0;
        if (_rules.TryGetValue(XxHash3.HashToUInt64(field), out var rules))
        {
            foreach (var rule in rules)
            {
                if (rule.Check(value, out var more) is { } mistake)
                {
                    return mistake;
                }

                values += more;
            }
        }

        return null;
    }

    /// <summary>What one feature takes.</summary>
    /// <param name="Feature">The feature.</param>
    /// <param name="Source">Its field.</param>
    /// <param name="IsNumber">Whether text must be a number: numeric features and buckets.</param>
    /// <param name="IsNumeric">Whether it is a numeric feature.</param>
    /// <param name="Separator">What separates several values; null: it takes one.</param>
    private sealed record Rule(string Feature, string Source, bool IsNumber, bool IsNumeric, byte[]? Separator)
    {
        public static Rule? Of(FeatureSpec feature) => feature switch
        {
            NumericFeature n => new Rule(n.Name, n.Source, true, true, null),
            CategoricalFeature c => new Rule(
                c.Name, c.Source, c.Bucketize is not null, false, c.Separator is null ? null : Encoding.UTF8.GetBytes(c.Separator)),
            _ => null,
        };

        public FeatureException? Check(in FieldValue value, out int values)
        {
            values = 1;
            switch (value.Kind)
            {
                case FeatureValue.KindOneofCase.None:
                    return null;
                case FeatureValue.KindOneofCase.Text when value.Text.IsEmpty:
                    return null;
                case FeatureValue.KindOneofCase.Text when IsNumber:
                    return RawNumber.TryRead(value.Text, out _) ? null : RawNumber.Refuse(Feature, Encoding.UTF8.GetString(value.Text));
                case FeatureValue.KindOneofCase.Text when Separator is not null:
                    values = value.Text.Count(Separator) + 1;
                    return CategoricalReader.RefuseMany(Feature, values);
                case FeatureValue.KindOneofCase.List when Separator is not null:
                    values = value.Count;
                    return CategoricalReader.RefuseMany(Feature, values);
                case FeatureValue.KindOneofCase.List:
                    return IsNumeric ? RawNumber.Refuse(Feature, "a list") : CategoricalReader.RefuseList(Feature);
                case FeatureValue.KindOneofCase.Number when !double.IsFinite(value.Number):
                    return RawNumber.Refuse(Feature, value.Number.ToString(CultureInfo.InvariantCulture));
                case FeatureValue.KindOneofCase.Number when !IsNumber:
                    return CategoricalReader.RefuseInexact(Feature, value.Number);
                default:
                    return null;
            }
        }
    }
}

/// <summary>A raw value as it lies in an event's bytes.</summary>
public readonly ref struct FieldValue
{
    /// <summary>What it is.</summary>
    public FeatureValue.KindOneofCase Kind { get; init; }

    /// <summary>A text, as UTF-8.</summary>
    public ReadOnlySpan<byte> Text { get; init; }

    /// <summary>A number.</summary>
    public double Number { get; init; }

    /// <summary>How many values a list has.</summary>
    public int Count { get; init; }
}
