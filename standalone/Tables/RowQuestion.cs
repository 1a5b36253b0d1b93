using System.Globalization;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Tables;

/// <summary>Which row is asked for: by a feature and its value, or by a table and an id.</summary>
/// <param name="Table">Index of the table.</param>
/// <param name="Id">The id.</param>
internal readonly record struct RowQuestion(int Table, ulong Id)
{
    /// <summary>Reads a question.</summary>
    /// <param name="spec">The model.</param>
    /// <param name="feature">A feature; null: a table and an id are given.</param>
    /// <param name="values">The feature's value as in events; of a cross, one for each feature that it is made of.</param>
    /// <param name="table">A table; null: a feature is given.</param>
    /// <param name="id">An id of the table, 0 to 2⁶⁴ − 1.</param>
    /// <exception cref="UsageException">What is wrong, and what is allowed.</exception>
    public static RowQuestion Of(ModelSpec spec, string? feature, IReadOnlyList<string> values, string? table, string? id) =>
        (feature, table) switch
        {
            (not null, null) when id is null => ByFeature(spec, feature, values),
            (null, not null) when values.Count == 0 => new RowQuestion(IndexOf(spec, table), Parse(id)),
            _ => throw new UsageException("a row is named by 'feature' and 'value', or by 'table' and 'id'"),
        };

    private static RowQuestion ByFeature(ModelSpec spec, string name, IReadOnlyList<string> values)
    {
        var extractor = new FeatureExtractor(spec, ExtractFor.Training);
        var index = extractor.IndexOf(name);
        if (index < 0)
        {
            throw new UsageException($"there is no feature '{name}' with rows; there is {string.Join(", ", extractor.Embedded.Select(f => f.Name))}");
        }

        string[] parts = extractor.Embedded[index] is CrossFeature cross ? [.. cross.Of] : [name];
        if (values.Count != parts.Length)
        {
            throw new UsageException(parts.Length == 1
                ? $"feature '{name}' takes one 'value'; {values.Count} were given"
                : $"feature '{name}' is made of {string.Join(" and ", parts)}: it takes 'value' {parts.Length} times, in this order; {values.Count} were given");
        }

        var fields = new Dictionary<string, FeatureValue>();
        foreach (var (part, value) in parts.Zip(values))
        {
            // Two parts of a cross may come from one field.
            var source = ((CategoricalFeature)extractor.Embedded[extractor.IndexOf(part)]).Source;
            if (!fields.TryAdd(source, new FeatureValue { Text = value }) && fields[source].Text != value)
            {
                throw new UsageException(
                    $"feature '{name}' takes the field '{source}' more than once; '{fields[source].Text}' and '{value}' were given for it, "
                    + "which can have only one value");
            }
        }

        var batch = extractor.CreateBatch();
        try
        {
            extractor.Append(new Dictionary<string, FeatureValue>(), fields, batch);
        }
        catch (FeatureException exception)
        {
            throw new UsageException(exception.Message);
        }

        return batch.Ids(0, index) is [var id]
            ? new RowQuestion(extractor.TableOf(index), id)
            : throw new UsageException($"'{string.Join("', '", values)}' is {batch.Ids(0, index).Length} values of feature '{name}'; a row is of one");
    }

    private static int IndexOf(ModelSpec spec, string name)
    {
        var tables = spec.Tables.Select(t => t.Name).ToArray();
        var index = Array.IndexOf(tables, name);
        return index >= 0 ? index : throw new UsageException($"there is no table '{name}'; there is {string.Join(", ", tables)}");
    }

    private static ulong Parse(string? id) =>
        ulong.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed)
            ? parsed
            : throw new UsageException($"id is '{id}'; allowed is 0 to {ulong.MaxValue}");
}
