using System.Globalization;
using System.Text;
using Monolith.Standalone.Replay;

namespace Monolith.Standalone.Specs;

/// <summary>Writes a first specification from what a file's columns look like: commented, valid, ready to edit.</summary>
internal static class SpecDraft
{
    /// <summary>Numbers with more different values than this are put into buckets instead of getting a row each.</summary>
    private const int FewValues = 64;

    /// <summary>The YAML text.</summary>
    public static string Of(FileProfile file)
    {
        var yaml = new StringBuilder();
        void Line(FormattableString text) => yaml.Append(FormattableString.Invariant(text)).Append('\n');

        var time = file.Time ?? file.Columns[0];
        var label = file.Label ?? file.Columns[^1];
        var partitionBy = file.User ?? file.Request[0] ?? file.Columns[0];
        var request = string.Join(", ", file.Request.Where(c => c is not null).Select(c => Quote(c!.Name)));
        if (!file.Columns.Any(c => IsFeature(c, time, label)))
        {
            throw new DataFileException(
                $"{file.File} has nothing to learn from: besides its time ('{time.Name}') and its label ('{label.Name}') no column has a value");
        }

        var rate = label.IsBinary ? label.Sum / file.Rows : 0.05;

        Line($"# A first specification, drafted from {file.Rows} rows of {file.File}. Read it, edit it, then:");
        Line($"#   monolith spec validate THIS_FILE");
        Line($"#   monolith replay --model THIS_FILE --data {file.File}");
        if (file.Time is null)
        {
            Line($"# CHECK: no column looks like seconds or milliseconds since 1970; '{time.Name}' as the time is a mere guess.");
        }

        if (file.Label is null)
        {
            Line($"# CHECK: no column holds just 0 and 1; '{label.Name}' as the label is a mere guess.");
        }

        Line($"model: {ModelName(file.File)}");
        Line($"seed: 1");
        Line($"# Examples are spread over workers by this column; usually the user.");
        Line($"partition_by: {Quote(partitionBy.Name)}");
        Line($"");
        Line($"# Rows with equal request columns were shown at once: all are scored before any is learned from.");
        Line($"source:");
        Line($"  request: [{(request.Length > 0 ? request : Quote(time.Name))}]");
        Line($"  time: {Quote(time.Name)}");
        Line($"  time_unit: {time.TimeUnit ?? "seconds"}");
        if (file.Item is not null)
        {
            Line($"  item: {Quote(file.Item.Name)}");
        }

        Line($"");
        Line($"# A row is a one-wide weight (first order) and a vector, each with its own optimizer.");
        Line($"tables:");
        Line($"  - name: main");
        Line($"    # expiry: 30d   # rows not updated for so long are forgotten");
        Line($"    segments:");
        Line($"      - {{ dimension: 1, initializer: {{ kind: zeros }}, optimizer: {{ kind: ftrl, learning_rate: 0.05, initial_accumulator: 0.1 }} }}");
        Line($"      - {{ dimension: 16, initializer: {{ kind: uniform, low: -0.01, high: 0.01 }}, optimizer: {{ kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.1 }} }}");
        Line($"");
        Line($"features:");
        foreach (var column in file.Columns)
        {
            if (!IsFeature(column, time, label))
            {
                Line($"  # {column.Name}: {(column.Filled == 0 ? "always empty" : column == time ? "the time" : "the label")}");
            }
            else
            {
                Line($"  # {Describe(column)}");
                Line($"  - {Feature(file, column)}");
            }
        }

        if (file.Position is not null && file.Item is not null)
        {
            Line($"  # Combinations that matter get an id of their own, for example:");
            Line($"  # - {{ name: position_x_item, kind: cross, of: [{Name(file.Position)}, {Name(file.Item)}], table: main }}");
        }

        Line($"");
        Line($"network: {{ kind: deepfm, hidden: [64, 32], optimizer: {{ kind: adam, learning_rate: 0.002 }} }}");
        Line($"# base_rate is the expected share of positives: where the output bias starts.");
        Line($"tasks: [{{ name: {Name(label)}, label: {Quote(label.Name)}, loss: cross_entropy, base_rate: {Math.Clamp(rate, 0.0001, 0.9999):0.####} }}]");
        Line($"training: {{ micro_batch: 64{(file.Position is null ? string.Empty : $", baseline: {Name(file.Position)}")} }}");
        return yaml.ToString();
    }

    private static bool IsFeature(ColumnProfile column, ColumnProfile time, ColumnProfile label) =>
        column != time && column != label && column.Filled > 0;

    private static string Feature(FileProfile file, ColumnProfile column)
    {
        var name = Name(column);
        var source = Quote(column.Name);
        if (column == file.Position)
        {
            return $"{{ name: {name}, kind: categorical, source: {source}, table: main, score_as: \"1\" }}   # not known when scoring";
        }

        if (column.IsList)
        {
            return $"{{ name: {name}, kind: categorical, source: {source}, separator: \"|\", combiner: sum, table: main }}";
        }

        var isAmount = column.IsNumeric && column.Distinct > FewValues && column != file.Item && column != file.User
            && !column.IsCalled("id");
        return isAmount
            ? $"{{ name: {name}, kind: categorical, source: {source}, bucketize: {{ kind: log2, per_octave: 2 }}, table: main }}"
            : $"{{ name: {name}, kind: categorical, source: {source}, table: main }}";
    }

    private static string Describe(ColumnProfile column)
    {
        var count = column.Distinct >= ColumnProfile.MaxDistinct ? $"over {ColumnProfile.MaxDistinct}" : $"{column.Distinct}";
        var range = column.IsNumeric
            ? string.Create(CultureInfo.InvariantCulture, $", numbers from {column.Min} to {column.Max}")
            : string.Empty;
        return $"{count} different values{range}";
    }

    private static string ModelName(string file)
    {
        var stem = file.Split('.')[0].ToLowerInvariant();
        var name = string.Concat(stem.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return name.Length == 0 || !char.IsAsciiLetter(name[0]) ? $"model-{name}".TrimEnd('-') : name;
    }

    // What a specification allows as a name; two columns that come out alike are told apart by validation.
    private static string Name(ColumnProfile column)
    {
        var name = string.Concat(column.Name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        name = name.Length > 0 && char.IsAsciiLetter(name[0]) ? name : $"column_{name}";
        return Quote(name[..Math.Min(name.Length, 63)]);
    }

    // Plain where YAML cannot take it for anything but a text, quoted otherwise.
    private static string Quote(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            && text.ToLowerInvariant() is not ("null" or "true" or "false" or "yes" or "no" or "on" or "off" or "y" or "n")
            ? text
            : $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
