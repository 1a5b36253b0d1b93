using System.Globalization;
using System.Text;
using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Integration.Tests.Replay;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Replay;

namespace Monolith.Integration.Tests.Specs;

/// <summary>What a draft says of columns of all kinds, and the law that a draft reads its own file.</summary>
public sealed class SpecDraftTests : IDisposable
{
    private const int Rows = 400;
    private readonly Files _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Ids_stay_ids_however_many_digits_they_have_and_amounts_become_buckets_or_scaled_numbers()
    {
        var spec = await Draft(
            ("user", i => $"{i % 40}"),
            ("item", i => $"{1_541_548_955_000 + (i * 7919L % 100 * 86_400_000)}"),
            ("sku_code", i => $"{100_000_000_000 + (i * 31 % 90)}"),
            ("注文", i => $"{5_000_000 + (i * 37 % 200)}"),
            ("price", i => $"{10 + (i * 37 % 300)}"),
            ("video_duration", i => $"{(i * 37 % 3000) + 0.5}"),
            ("ctr", i => $"{i * 37 % 100 / 100.0}"),
            ("balance", i => $"{(i * 37 % 1000) - 500}"),
            ("longitude", i => $"{139.5 + (i * 37 % 1000 / 1000.0)}"),
            ("click", i => Chance(i)));
        Assert.All(spec.Features.OfType<CategoricalFeature>().Take(4), f => Assert.Null(f.Bucketize));
        Assert.All(["price", "video_duration"], name => Assert.IsType<LogBuckets>(((CategoricalFeature)Of(spec, name)).Bucketize));
        Assert.All(["ctr", "balance", "longitude"], name => Assert.IsType<StandardizeTransform>(((NumericFeature)Of(spec, name)).Transforms.Single()));
        Assert.Equal(("item", "user", null), (spec.Source!.Item, spec.PartitionBy, spec.Source.Time));
    }

    [Fact]
    public async Task A_time_before_2001_is_one_where_its_name_says_so_and_a_column_that_counts_the_rows_is_nothing()
    {
        var spec = await Draft(
            ("", i => $"{i}"), ("n", i => $"{i + 1}"), ("timestamp", i => $"{874_724_710 + (i * 50)}"), ("user", i => $"u{i % 7}"),
            ("clicked", i => i % 3 == 0 ? "True" : "False"));
        Assert.Equal(("timestamp", TimeUnit.Seconds), (spec.Source!.Time, spec.Source.TimeUnit));
        Assert.Equal(["user"], spec.Features.Select(f => f.Name));
        Assert.Equal("clicked", spec.Tasks.Single().Label);
        Assert.Empty(spec.Source.Request);
    }

    [Fact]
    public async Task A_column_that_alone_tells_the_label_is_named_and_left_out()
    {
        var (spec, yaml) = await DraftAndText(
            ("user", i => $"u{i * 31 % 50}"), ("dwell_seconds", i => i % 4 == 0 ? $"{20 + (i % 90)}.5" : "0.5"),
            ("click_place", i => i % 4 == 0 ? $"place{i}" : ""), ("device", i => i % 3 == 0 ? "phone" : "tablet"), ("click", i => i % 4 == 0 ? "1" : "0"));
        Assert.Equal(["user", "device"], spec.Features.Select(f => f.Name));
        Assert.Contains("# dwell_seconds: left out: by itself it tells the label (AUC 1.000)", yaml);
        Assert.Contains("# click_place: left out", yaml);
    }

    [Fact]
    public async Task Where_nothing_else_is_left_such_a_column_is_kept_and_named()
    {
        var (spec, yaml) = await DraftAndText(("user", i => $"u{i % 4}"), ("click", i => $"{i % 2}"));
        Assert.Equal(["user"], spec.Features.Select(f => f.Name));
        Assert.Contains("# CHECK: 'user': by itself it tells the label", yaml);
    }

    [Fact]
    public async Task A_file_of_very_many_columns_has_a_draft()
    {
        (string, Func<int, string>)[] columns = [.. Enumerable.Range(0, 1200).Select(c => ($"c {c}", (Func<int, string>)(i => $"{(i + c) % 7}")))];
        var spec = await Draft([("user", i => $"u{i * 31 % 50}"), .. columns, ("click", Chance)]);
        Assert.Equal(SpecLimits.Features, spec.Features.Length);
    }

    [Fact]
    public async Task Spellings_of_missing_values_are_proposed_and_do_not_hide_what_a_column_is()
    {
        var spec = await Draft(
            ("user", i => i % 9 == 0 ? "NULL" : $"{i % 50}"), ("price", i => i % 5 == 0 ? "NaN" : $"{i * 37 % 300}.25"),
            ("city", i => i % 6 == 0 ? "\\N" : i % 2 == 0 ? "NA" : "Rome"), ("click", i => i % 8 == 7 ? "None" : Chance(i)));
        Assert.Equal(["NULL", "NaN", "\\N", "None"], spec.Source!.Missing);
        Assert.NotNull(((CategoricalFeature)Of(spec, "price")).Bucketize);
    }

    [Fact]
    public async Task Rows_that_only_look_like_one_request_are_told_apart()
    {
        var several = await Draft(
            ("session", i => $"s{i / 8}"), ("ts", i => $"{1_700_000_000 + (i / 8)}"), ("user", i => $"u{i % 3}"), ("click", i => Chance(i)));
        Assert.Equal(["session", "ts", "user"], several.Source!.Request);
        var one = await Draft(
            ("session", i => $"s{i / 8}"), ("ts", i => $"{1_700_000_000 + (i / 8)}"), ("user", i => $"u{i / 8}"), ("click", i => Chance(i)));
        Assert.Equal(["session", "ts"], one.Source!.Request);
    }

    [Theory]
    [InlineData("user,rating\na,1\na,5\nb,3\n", "no column that could be the label")]
    [InlineData("user,click\na,1\nb,1\n", "no column that could be the label")]
    [InlineData("ts,click\n1541548955,1\n1541548956,0\n", "nothing to learn from")]
    [InlineData("click,,x\n1,a,\n0,b,\n", "nothing to learn from")]
    public async Task A_file_that_cannot_be_learned_from_is_refused_and_nothing_is_written(string csv, string says)
    {
        var data = _files.Write(csv);
        var yaml = Path.ChangeExtension(data, ".yaml");
        var (code, error) = await Run("spec", "init", "--data", data, "--output", yaml);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains(says, error);
        Assert.False(File.Exists(yaml));
    }

    [Fact]
    public async Task A_text_among_the_numbers_that_comes_late_is_seen()
    {
        var rows = Standalone.Specs.FileProfile.SampleRows + 10;
        var (spec, _) = await DraftAndText(
            rows, [("user", i => $"{i % 50}"), ("price", i => i == rows - 1 ? "unknown" : $"{i * 37 % 300}.25"), ("click", i => Chance(i))]);
        Assert.Null(((CategoricalFeature)Of(spec, "price")).Bucketize);
    }

    [Fact]
    public async Task A_draft_is_valid_and_reads_its_own_file_whatever_the_headers_and_values_are()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var columns = RandomFile.Columns(random);
            var data = WriteCsv(30 + random.Next(300), columns, seed);
            var yaml = Path.ChangeExtension(data, ".yaml");
            var (code, error) = await Run("spec", "init", "--data", data, "--output", yaml);
            Assert.True(code == ExitCodes.Success, $"seed {seed}: {error}");
            var spec = ModelSpecFile.Load(yaml);
            ReadAll(spec, data);
            if (seed % 50 == 0)
            {
                Assert.Equal((ExitCodes.Success, string.Empty), await Run("replay", "--model", yaml, "--data", data));
            }
        }
    }

    private static string Chance(int i) => (((uint)i * 2654435761u) >> 9) % 3 == 0 ? "1" : "0";

    private static FeatureSpec Of(ModelSpec spec, string name) => spec.Features.Single(f => f.Name == name);

    private static void ReadAll(ModelSpec spec, string data)
    {
        var extractor = new FeatureExtractor(spec, ExtractFor.Training);
        var batch = extractor.CreateBatch();
        using var requests = new CsvRequests(spec, data, 0, _ => true);
        while (requests.Read() is { } request)
        {
            foreach (var example in request.Group.Examples)
            {
                extractor.Append(request.Group.Shared, example.Features, batch);
            }
        }
    }

    private async Task<ModelSpec> Draft(params (string Header, Func<int, string> Value)[] columns) => (await DraftAndText(Rows, columns)).Spec;

    private Task<(ModelSpec Spec, string Yaml)> DraftAndText(params (string Header, Func<int, string> Value)[] columns) =>
        DraftAndText(Rows, columns);

    private async Task<(ModelSpec Spec, string Yaml)> DraftAndText(int rows, (string Header, Func<int, string> Value)[] columns)
    {
        var data = WriteCsv(rows, columns, columns.Length);
        var yaml = Path.ChangeExtension(data, ".yaml");
        File.Delete(yaml);
        Assert.Equal((ExitCodes.Success, string.Empty), await Run("spec", "init", "--data", data, "--output", yaml));
        return (ModelSpecFile.Load(yaml), await File.ReadAllTextAsync(yaml, TestContext.Current.CancellationToken));
    }

    private string WriteCsv(int rows, (string Header, Func<int, string> Value)[] columns, int number)
    {
        var csv = new StringBuilder(string.Join(',', columns.Select(c => Field(c.Header)))).Append('\n');
        for (var row = 0; row < rows; row++)
        {
            csv.AppendJoin(',', columns.Select(c => Field(c.Value(row)))).Append('\n');
        }

        return _files.Write(csv.ToString(), $"data{number}.csv");
    }

    private static string Field(string text) => text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    private static async Task<(int Code, string Error)> Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return (await MonolithCommandLine.RunAsync(args, output, error, TestContext.Current.CancellationToken), error.ToString());
    }
}

/// <summary>Files with headers and contents of all kinds.</summary>
internal static class RandomFile
{
    private static readonly string[] Headers =
    [
        "no", "yes", "~", "1", "null", "true", "on", "y", "-", "?x", "user id", "user_id", "user-id", "User Id", "user", "userId", "item", "Item_ID",
        "time", "ts", "timestamp", "date", "price", "a: b", "a #b", "'q'", "\"q\"", "\\N", "tab\there", "line\nbreak", "cr\r\nlf", "é", "用户", "物品",
        "пользователь", "😀", "{x}", "[x]", "&x", "*x", "!x", "%x", "|", ">", "@x", "`x`", " lead", "trail ", "", "pos", "position", "session",
        "request", "step", "count", "ratio", "\u2028", "\u0085x", "\u00a0", "x,y", "features", "model", "NaN", ".inf", "0x1F", "1e3", "2020-01-01", "=", "<<",
    ];

    public static (string Header, Func<int, string> Value)[] Columns(Random random)
    {
        var headers = Headers.OrderBy(_ => random.Next()).Take(2 + random.Next(8)).ToList();
        if (random.Next(3) == 0)
        {
            headers.AddRange([new string('h', 70) + "1", new string('h', 70) + "2", new string('z', 600)]);
        }

        var columns = headers.Select(h => (h, Contents(random))).ToList();
        columns.Insert(random.Next(columns.Count + 1), ("label of it", Label(random)));
        columns.Insert(random.Next(columns.Count + 1), ("what", i => $"w{i * 7919 % 13}"));
        return [.. columns];
    }

    private static Func<int, string> Label(Random random)
    {
        var (seed, kind) = (random.Next(), random.Next(4));
        return i => (Hash(i, seed) % 3 == 0, kind) switch
        {
            (var yes, 0) => yes ? "1" : "0",
            (var yes, 1) => yes ? "true" : "FALSE",
            (var yes, 2) => yes ? "Yes" : "no",
            (var yes, _) => Hash(i, seed + 1) % 9 == 0 ? "" : yes ? "1.0" : "0.0",
        };
    }

    private static Func<int, string> Contents(Random random)
    {
        var (seed, n) = (random.Next(), 1 + random.Next(500));
        string Number(double x) => x.ToString("R", CultureInfo.InvariantCulture);
        return random.Next(16) switch
        {
            0 => i => $"{i}",
            1 => i => $"{i + n}",
            2 => _ => "",
            3 => _ => "same",
            4 => i => $"v{Hash(i, seed) % n}",
            5 => i => $"{Hash(i, seed) % n}",
            6 => i => Number((Hash(i, seed) % 1000 / 7.0) - n),
            7 => i => Number(Math.Exp(Hash(i, seed) % 700)),
            8 => i => $"{100_000_000_000 + (Hash(i, seed) % n)}",
            9 => i => $"{1_700_000_000 + (i / 3)}",
            10 => i => $"{1_700_000_000_000 + (i * 10L)}",
            11 => i => $"{874_724_710 + (Hash(i, seed) % 100_000)}",
            12 => i => string.Join('|', Enumerable.Range(0, Hash(i, seed) % 4).Select(t => $"t{Hash(t, i) % 9}")),
            13 => i => (Hash(i, seed) % 5) switch { 0 => "NULL", 1 => "NaN", 2 => "\\N", _ => $"{Hash(i, n) % 90}" },
            14 => i => (Hash(i, seed) % 6) switch { 0 => "1e400", 1 => "-0", 2 => "Infinity", 3 => " 5", 4 => "a\nb", _ => "\"x\"" },
            _ => i => $"{Hash(i, seed) % 2}",
        };
    }

    private static int Hash(int i, int seed) => (int)((((uint)i * 2654435761u) ^ ((uint)seed * 40503u)) * 2246822519u >> 8);
}
