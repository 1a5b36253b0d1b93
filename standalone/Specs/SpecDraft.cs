using System.Globalization;
using System.Text;
using Monolith.Contracts.Specification;
using Monolith.Standalone.Replay;

namespace Monolith.Standalone.Specs;

/// <summary>Writes a first specification from what a file's columns look like: commented, valid, ready to edit.</summary>
internal sealed class SpecDraft
{
    /// <summary>Integers with more different values than this may be amounts, which are put into buckets.</summary>
    private const int FewValues = 64;

    private readonly FileProfile _file;
    private readonly IReadOnlyList<ColumnProfile> _request;
    private readonly ColumnProfile _partitionBy;
    private readonly bool _onlySingle;
    private readonly DraftNames _names = new();
    private readonly StringBuilder _yaml = new();

    private SpecDraft(FileProfile file, ColumnProfile partitionBy, IReadOnlyList<ColumnProfile> request, bool onlySingle) =>
        (_file, _partitionBy, _request, _onlySingle) = (file, partitionBy, request, onlySingle);

    /// <summary>A draft that is valid and with which the sample of the file was read.</summary>
    /// <exception cref="DataFileException">The file has nothing to learn from, or cannot be read.</exception>
    public static string Of(FileProfile file)
    {
        Exception? first = null;
        foreach (var draft in Drafts(file).Concat(file.Time is null ? [] : Drafts(file.WithoutTime())))
        {
            var yaml = draft.Write();
            try
            {
                DraftProof.Check(yaml, file.Path, file.Rows);
                return yaml;
            }
            catch (Exception failure) when (failure is DataFileException or SpecException)
            {
                first ??= failure;
            }
        }

        throw first as DataFileException ?? new DataFileException(
            $"{file.File}: no draft could be made that reads it; write a specification by hand ({first!.Message})", first);
    }

    // The likeliest first. Rows of a request have one value in the partitioning column: where they do not, that column
    // belongs to
    // the request, or what looked like a request is none.
    private static IEnumerable<SpecDraft> Drafts(FileProfile file)
    {
        var features = file.Columns.Where(c => file.WhyNot(c) is null).ToList();
        var single = features.Where(c => !c.IsList && !IsNumeric(file, c)).ToList();
        var onlySingle = single.Count == 0; // examples are partitioned by a value, so some feature must have one
        single = onlySingle ? features : single;
        var partitionBy = file.User is { } user && single.Contains(user) ? user
            : file.Request.Count > 0 ? file.Request[0]
            : single.Count > 0 ? single[0]
            : null;
        if (partitionBy is null || single.Count == 0)
        {
            throw new DataFileException(
                $"{file.File} has nothing to learn from: besides its label ('{file.Label!.Name}')"
                + $"{(file.Time is { } at ? $" and its time ('{at.Name}')" : "")} no column can be a feature");
        }

        if (file.Request.Count > 0)
        {
            List<ColumnProfile> request = [.. file.Request];
            if (file.Time is { } time)
            {
                request.Add(time);
            }

            yield return new SpecDraft(file, partitionBy, request, onlySingle);
            if (!request.Contains(partitionBy))
            {
                yield return new SpecDraft(file, partitionBy, [.. request, partitionBy], onlySingle);
            }
        }

        yield return new SpecDraft(file, single.Contains(partitionBy) ? partitionBy : single[0], [], onlySingle);
    }

    private string Write()
    {
        var label = _file.Label!;
        var file = YamlText.Comment(_file.File);
        Line($"# A first specification, drafted from {_file.Rows} rows of {file}. Read it, edit it, then:");
        Line($"#   monolith spec validate THIS_FILE");
        Line($"#   monolith replay --model THIS_FILE --data {file}");
        if (_file.Time is null)
        {
            Line($"# CHECK: no column looks like seconds or milliseconds since 1970: rows are taken to be one second apart.");
        }

        if (_file.User is null)
        {
            var column = YamlText.Comment(_partitionBy.Name);
            Line($"# CHECK: no column is called a user: examples are spread over workers by '{column}'.");
        }

        foreach (var column in _file.Columns.Where(c => _file.KeepsLeaks && _file.Leaks.ContainsKey(c)))
        {
            Line($"# CHECK: '{YamlText.Comment(column.Name)}': {_file.Suspicion(column)}.");
        }

        Line($"model: {DraftNames.Model(_file.File)}");
        Line($"seed: 1");
        Line($"# Examples are spread over workers by this column; usually the user.");
        Line($"partition_by: {YamlText.Quote(_partitionBy.Name)}");
        Line($"");
        Source();
        Line($"");
        Line($"# A row is a one-wide weight (first order) and a vector, each with its own optimizer.");
        Line($"tables:");
        Line($"  - name: main");
        Line($"    # expiry: 30d   # rows not updated for so long are forgotten");
        Line($"    segments:");
        const string rate = "learning_rate: 0.05, initial_accumulator: 0.1";
        const string small = "kind: uniform, low: -0.01, high: 0.01";
        Line($"      - {{ dimension: 1, initializer: {{ kind: zeros }}, optimizer: {{ kind: ftrl, {rate} }} }}");
        Line($"      - {{ dimension: 16, initializer: {{ {small} }}, optimizer: {{ kind: adagrad, {rate} }} }}");
        Line($"");
        var position = Features();
        Line($"");
        Line($"network: {{ kind: deepfm, hidden: [64, 32], optimizer: {{ kind: adam, learning_rate: 0.002 }} }}");
        Line($"# base_rate is the expected share of positives: where the output bias starts.");
        var task = $"name: {YamlText.Quote(new DraftNames().Add(label))}, label: {YamlText.Quote(label.Name)}, loss: cross_entropy";
        Line($"tasks: [{{ {task}, base_rate: {Math.Clamp(_file.Rate, 0.0001, 0.9999):0.####} }}]");
        Line($"training: {{ micro_batch: 64{(position is null ? string.Empty : $", baseline: {position}")} }}");
        return _yaml.ToString();
    }

    private void Source()
    {
        Line($"# How the file is read. {(_request.Count == 0
            ? "Each row is a request of its own."
            : "Consecutive rows with equal request columns were shown at once: all are scored before any is learned.")}");
        var missing = _file.Columns.SelectMany(c => c.Missing).Distinct().ToList();
        var isEmpty = _request.Count == 0 && _file.Time is null && _file.Item is null && missing.Count == 0;
        Line($"source:{(isEmpty ? " {}" : "")}");
        if (_request.Count > 0)
        {
            Line($"  request: [{string.Join(", ", _request.Select(c => YamlText.Quote(c.Name)))}]");
        }

        if (_file.Time is { } time)
        {
            Line($"  time: {YamlText.Quote(time.Name)}");
            Line($"  time_unit: {time.TimeUnit}");
        }

        if (_file.Item is { } item)
        {
            Line($"  item: {YamlText.Quote(item.Name)}");
        }

        if (missing.Count > 0)
        {
            Line($"  # These spellings were found and mean that there is no value; take out what is a value of yours.");
            Line($"  missing: [{string.Join(", ", missing.Select(YamlText.Quote))}]");
        }
    }

    // Returns the name of the position's feature.
    private string? Features()
    {
        Line($"features:");
        var left = SpecLimits.Features;
        string? position = null, item = null;
        foreach (var column in _file.Columns)
        {
            var why = _file.WhyNot(column) ?? (left == 0 ? $"a model has at most {SpecLimits.Features} features" : null);
            if (why is not null)
            {
                Line($"  # {YamlText.Comment(column.Name)}: {YamlText.Comment(why)}");
                continue;
            }

            var name = YamlText.Quote(_names.Add(column));
            Line($"  # {Describe(column)}");
            Line($"  - {Feature(name, column)}");
            left--;
            position = column == _file.Position ? name : position;
            item = column == _file.Item ? name : item;
        }

        if (position is not null && item is not null)
        {
            Line($"  # Combinations that matter get an id of their own, for example:");
            Line($"  # - {{ name: position_x_item, kind: cross, of: [{position}, {item}], table: main }}");
        }

        return position;
    }

    private string Feature(string name, ColumnProfile column)
    {
        var start = $"name: {name}, kind: categorical, source: {YamlText.Quote(column.Name)}";
        if (column == _file.Position)
        {
            return $"{{ {start}, table: main, score_as: \"1\" }}   # not known when scoring";
        }

        if (column.IsList && !_onlySingle)
        {
            return $"{{ {start}, separator: \"|\", combiner: sum, table: main }}";
        }

        if (IsNumeric(_file, column))
        {
            if (_onlySingle)
            {
                double[] deviations = [-1.5, -1, -0.5, 0, 0.5, 1, 1.5];
                var boundaries = deviations.Select(d => Digits(column.Mean + (d * column.Deviation))).Distinct();
                var list = string.Join(", ", boundaries);
                return $"{{ {start}, bucketize: {{ kind: boundaries, boundaries: [{list}] }}, table: main }}";
            }

            var transform = column.IsSkewed
                ? "{ kind: log }"
                : $"{{ kind: standardize, mean: {Digits(column.Mean)}, deviation: {Digits(column.Deviation)} }}";
            return $"{{ name: {name}, kind: numeric, source: {YamlText.Quote(column.Name)}, transforms: [{transform}] }}";
        }

        return IsAmount(_file, column)
            ? $"{{ {start}, bucketize: {{ kind: log2, per_octave: 2 }}, table: main }}"
            : $"{{ {start}, table: main }}";
    }

    // Ids stay ids: a whole number is an amount only where its name says so. What has a fraction is one in any case.
    private static bool IsAmount(FileProfile file, ColumnProfile column) =>
        column.IsNumeric && column.Distinct > FewValues
        && column != file.Item && column != file.User && column != file.Position
        && !file.Request.Contains(column) && !column.Words.IsId && (!column.IsInteger || column.Words.IsAmount);

    // Logarithmic buckets tell amounts of many sizes apart, but neither shares, nor what may be negative, nor 100.1
    // from 100.2.
    private static bool IsNumeric(FileProfile file, ColumnProfile column) => IsAmount(file, column)
        && (column.Min < 0 || column.Max < FewValues || column.Max < 4 * column.Min)
        && column.Deviation > 0 && double.IsFinite(column.Deviation);

    private static string Describe(ColumnProfile column)
    {
        var count = column.HasMore ? $"over {column.Distinct}" : $"{column.Distinct}";
        var range = column.IsNumeric
            ? string.Create(CultureInfo.InvariantCulture, $", numbers from {column.Min} to {column.Max}")
            : string.Empty;
        return $"{count} different values{range}{(column.IsUnique ? ", another one in every row: probably of no use" : "")}";
    }

    private static string Digits(double number) => number.ToString("G12", CultureInfo.InvariantCulture);

    private void Line(FormattableString text) => _yaml.Append(FormattableString.Invariant(text)).Append('\n');
}
