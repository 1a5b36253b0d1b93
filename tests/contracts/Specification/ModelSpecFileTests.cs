using CsCheck;
using Monolith.Contracts.Specification;

namespace Monolith.Contracts.Tests.Specification;

public sealed class ModelSpecFileTests
{
    private const string Good = """
        model: shop
        partition_by: user_id
        tables:
          - name: main
            segments:
              - { dimension: 1, optimizer: { kind: ftrl } }
              - { dimension: 4, initializer: { kind: uniform, low: -0.1, high: 0.1 }, optimizer: { kind: adagrad } }
        features:
          - { name: user, kind: categorical, source: user_id }
          - { name: tags, kind: categorical, separator: "|" }
          - { name: price, kind: categorical, bucketize: { kind: boundaries, boundaries: [1, 10, 100] } }
          - { name: depth, kind: numeric, source: pos, score_as: "1", transforms: [ { kind: log }, { kind: clip, low: 0, high: 5 } ] }
          - { name: both, kind: cross, of: [user, price] }
        network: { kind: deepfm, hidden: [8] }
        tasks: [ { name: click, label: click } ]
        """;

    [Theory]
    [InlineData("trivago.yaml")]
    [InlineData("demo.yaml")]
    public void Bundled_models_load(string name) => Assert.NotEmpty(ModelSpecFile.Load(RepositoryFiles.Model(name)).Features);

    [Fact]
    public void Reads_what_is_written_and_fills_in_defaults()
    {
        var spec = ModelSpecFile.Parse(Good, "good.yaml");
        Assert.Equal(("shop", 8, "main"), (spec.Name, spec.Shards, ((EmbeddedFeature)spec.Features[4]).Table));
        Assert.Equal("tags", ((CategoricalFeature)spec.Features[1]).Source);
        Assert.Equal([1.0, 10, 100], ((BoundaryBuckets)((CategoricalFeature)spec.Features[2]).Bucketize!).Boundaries);
        Assert.Equal([new LogTransform(), new ClipTransform(0, 5)], ((NumericFeature)spec.Features[3]).Transforms);
        Assert.Equal(new UniformInitializer(-0.1f, 0.1f), spec.Tables[0].Segments[1].Initializer);
        Assert.Equal(new SyncSpec(), spec.Sync);
        Assert.Null(spec.Tables[0].Expiry);
    }

    [Theory]
    [InlineData("200ms", 200)]
    [InlineData("0.5s", 500)]
    [InlineData("5s", 5_000)]
    [InlineData("2m", 120_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("30d", 2_592_000_000)]
    public void Durations_have_units(string text, long ms)
    {
        var spec = ModelSpecFile.Parse(Good + $"\njoin: {{ window: {text} }}", "x");
        Assert.Equal(ms, spec.Join.Window.TotalMilliseconds);
    }

    [Fact]
    public void Tasks_say_what_actions_mean_and_windows_are_those_of_kinds()
    {
        var yaml = Good.Replace(
            "{ name: click, label: click }",
            "{ name: click, label: click, keep_negatives: 0.1 }, { name: buy, actions: [ { kind: purchase, weight: value, max_weight: 50 }, { kind: hide, makes: negative, weight: 2 }, { kind: view, at_least: 30 } ] }",
            StringComparison.Ordinal);
        var spec = ModelSpecFile.Parse(yaml + "\njoin: { windows: { purchase: 1d } }", "x");
        Assert.Equal([new ActionRule { Kind = "click" }], spec.Tasks[0].LabelRules());
        Assert.Equal((0.1, 1.0), (spec.Tasks[0].KeepNegatives, spec.Tasks[1].KeepNegatives));
        Assert.Equal("buy", spec.Tasks[1].Label);
        Assert.Equal(
            [
                new ActionRule { Kind = "purchase", WeightIsValue = true, MaxWeight = 50 },
                new ActionRule { Kind = "hide", IsPositive = false, Weight = 2 },
                new ActionRule { Kind = "view", AtLeast = 30 },
            ],
            spec.Tasks[1].LabelRules());
        Assert.Equal((TimeSpan.FromDays(1), spec.Join.Window), (spec.Join.WindowOf("purchase"), spec.Join.WindowOf("view")));
    }

    [Fact]
    public void An_actions_value_bounds_and_weighs()
    {
        var rule = new ActionRule { Kind = "view", AtLeast = 5, Below = 30, WeightIsValue = true, MaxWeight = 20 };
        Assert.Equal([false, true, true, false, false], new[] { 4.9, 5, 29, 30, double.NaN }.Select(rule.Applies));
        Assert.Equal([1.0, 5, 20, 1, 1], new[] { -1, 5, 29, double.PositiveInfinity, double.NaN }.Select(rule.WeightOf));
        Assert.True(new ActionRule { Kind = "click" }.Applies(double.NaN));
    }

    // Each row: what to replace, by what; then the text at whose start the mistake is, path, what was found and a part of what is allowed.
    [Theory]
    [InlineData("model: shop", "model: My Shop", "My Shop", "model", "'My Shop'", "lower-case")]
    [InlineData("model: shop\n", "", "partition_by", "model", "nothing", "required")]
    [InlineData("model: shop", "modle: shop", "modle", "modle", "an unknown key (did you mean 'model'?)", "partition_by")]
    [InlineData("model: shop", "model: shop\nmodel: shop", "model: shop\npart", "model", "the key a second time", "line 1")]
    [InlineData("model: shop", "model: shop\nseed: -1", "-1", "seed", "'-1'", "whole number from 0")]
    [InlineData("model: shop", "model: shop\nshards: 6", "6", "shards", "'6'", "power of two")]
    [InlineData("model: shop", "model: shop\nshards: 2048", "2048", "shards", "'2048'", "from 1 to 1024")]
    [InlineData("partition_by: user_id", "partition_by: user", "user\n", "partition_by", "'user' (did you mean 'user_id'?)", "user_id")]
    [InlineData("partition_by: user_id", "partition_by: tags", "tags\n", "partition_by", "'tags'", "single-valued")]
    [InlineData("dimension: 1,", "dimension: 0,", "0,", "tables[0].segments[0].dimension", "'0'", "from 1 to 1024")]
    [InlineData("dimension: 1,", "dimension: 2,", "- { dimension: 2", "tables[0].segments", "dimensions [2, 4]", "deepfm")]
    [InlineData("kind: ftrl", "kind: ftlr", "ftlr", "tables[0].segments[0].optimizer.kind", "'ftlr' (did you mean 'ftrl'?)", "sgd, adagrad")]
    [InlineData("kind: ftrl", "kind: ftrl, rate: 1", "rate: 1", "tables[0].segments[0].optimizer.rate", "an unknown key", "learning_rate")]
    [InlineData("kind: ftrl", "kind: ftrl, learning_rate: 0", "0 }", "tables[0].segments[0].optimizer.learning_rate", "'0'", "above 0")]
    [InlineData("kind: ftrl", "kind: ftrl, learning_rate: 1e-60", "1e-60", "tables[0].segments[0].optimizer.learning_rate", "'1e-60'", "above 0")]
    [InlineData("kind: ftrl", "kind: batch_softmax, weight_decay: 1", "weight_decay", "tables[0].segments[0].optimizer.weight_decay", "an unknown key", "learning_rate, schedule")]
    [InlineData("kind: ftrl", "kind: ftrl, initial_accumulator: 0", "{ kind: ftrl", "tables[0].segments[0].optimizer", "initial_accumulator 0 and beta 0", "at least one")]
    [InlineData("dimension: 4,", "dimension: 4, serving_precision: int8,", "int8", "tables[0].segments[1].serving_precision", "'int8'", "float32, float16, bfloat16")]
    [InlineData("name: main\n", "name: main\n    precision: half\n", "half", "tables[0].precision", "'half'", "float32, float16, bfloat16")]
    [InlineData("name: main\n", "name: main\n    budget: { evict: smallest_norm }\n", "{ evict", "tables[0].budget", "no bound", "max_rows, max_bytes, or both")]
    [InlineData("name: main\n", "name: main\n    budget: { max_bytes: 1000 }\n", "1000", "tables[0].budget.max_bytes", "'1000'", "from 16777216")]
    [InlineData("name: main\n", "name: main\n    budget: { max_rows: 9, evict: oldest }\n", "oldest", "tables[0].budget.evict", "'oldest'", "least_recently_used")]
    [InlineData("name: main\n", "name: main\n    admission: { kind: after, threshold: 16 }\n", "16", "tables[0].admission.threshold", "'16'", "from 1 to 15")]
    [InlineData("name: main\n", "name: main\n    admission: { kind: sometimes }\n", "sometimes", "tables[0].admission.kind", "'sometimes'", "by_share, by_chance")]
    [InlineData("name: main\n", "name: main\n    unseen: nan\n", "nan", "tables[0].unseen", "'nan'", "initial_value, zeros")]
    [InlineData("kind: ftrl", "kind: ftrl, schedule: { kind: cosine }", "{ kind: cosine", "tables[0].segments[0].optimizer.schedule.steps", "nothing", "whole number from 1")]
    [InlineData("kind: ftrl", "kind: ftrl, schedule: { kind: steps }", "steps }", "tables[0].segments[0].optimizer.schedule.kind", "'steps'", "linear_warm_up")]
    [InlineData("kind: uniform, low: -0.1, high: 0.1", "kind: xavier", "xavier", "tables[0].segments[1].initializer.kind", "'xavier'", "zeros, ones, constant")]
    [InlineData(", optimizer: { kind: ftrl }", "", "{ dimension: 1", "tables[0].segments[0].optimizer", "nothing", "sgd, adagrad")]
    [InlineData("low: -0.1,", "low: 0.2,", "{ kind: uniform", "tables[0].segments[1].initializer", "low 0.2 and high 0.1", "low below high")]
    [InlineData("kind: categorical, source: user_id", "kind: category", "category", "features[0].kind", "'category'", "categorical, cross, numeric")]
    [InlineData("source: user_id", "source: user_id, table: mian", "mian", "features[0].table", "'mian' (did you mean 'main'?)", "main")]
    [InlineData("source: user_id", "source: user_id, combiner: max", "max", "features[0].combiner", "'max'", "sum, mean, sqrtn")]
    [InlineData("name: tags", "name: user", "user, kind: categorical, sep", "features[1].name", "'user' a second time", "of its own")]
    [InlineData("separator: \"|\"", "source: click", "click }", "features[1].source", "'click', which is a task's label", "anything but")]
    [InlineData("separator: \"|\"", "separator: ''", "''", "features[1].separator", "an empty text", "between two values")]
    [InlineData("[1, 10, 100]", "[1, 1]", "[1, 1]", "features[2].bucketize.boundaries", "[1, 1]", "strictly ascending")]
    [InlineData("[1, 10, 100]", "[1, x]", "x]", "features[2].bucketize.boundaries[1]", "'x'", "a number")]
    [InlineData("score_as: \"1\"", "score_as: first", "first", "features[3].score_as", "'first'", "a number")]
    [InlineData("low: 0, high: 5", "low: 5, high: 5", "{ kind: clip", "features[3].transforms[1]", "low 5 and high 5", "low below high")]
    [InlineData("of: [user, price]", "of: [user]", "[user]", "features[4].of", "1 features", "2 to 8")]
    [InlineData("of: [user, price]", "of: [user, prize]", "prize", "features[4].of[1]", "'prize' (did you mean 'price'?)", "user, price")]
    [InlineData("of: [user, price]", "of: [user, tags]", "tags]", "features[4].of[1]", "'tags'", "single-valued")]
    [InlineData("of: [user, price]", "of: [user, user]", "user] }", "features[4].of[1]", "'user' a second time", "once")]
    [InlineData("hidden: [8]", "hidden: []", "[]", "network.hidden", "an empty list", "1 to 8")]
    [InlineData("kind: deepfm", "kind: resnet", "resnet", "network.kind", "'resnet'", "deepfm")]
    [InlineData("label: click", "label: click, base_rate: 1", "1 } ]", "tasks[0].base_rate", "'1'", "above 0 and below 1")]
    [InlineData("label: click", "label: click, loss: hinge", "hinge", "tasks[0].loss", "'hinge'", "cross_entropy")]
    [InlineData("tasks: [ { name: click, label: click } ]", "tasks: []", "[]", "tasks", "an empty list", "1 to 16")]
    [InlineData("tasks: [", "training: { baseline: depht }\ntasks: [", "depht", "training.baseline", "'depht'", "user, price, both")]
    [InlineData("tasks: [", "federated: { beta: 0.5 }\ntasks: [", "0.5", "federated.beta", "'0.5'", "1 with fedavg")]
    [InlineData("tasks: [", "sync: { snapshot_interval: 1h }\ntasks: [", "{ snapshot", "sync.delta_time_to_live", "'10m'", "longer than")]
    [InlineData("tasks: [", "join: { window: 5 }\ntasks: [", "5 }\nt", "join.window", "'5'", "such as 200ms")]
    [InlineData("tasks: [", "join: 5m\ntasks: [", "5m", "join", "'5m'", "a mapping")]
    [InlineData("tasks: [", "source: { request: [a, a], time: ts }\ntasks: [", "a], time", "source.request[1]", "'a' a second time", "once")]
    [InlineData("hidden: [8]", "hidden: [8], optimizer: { kind: sgd, learning_rate: 1e4 }", "1e4", "network.optimizer.learning_rate", "'1e4'", "to 1000")]
    [InlineData("label: click", "label: click, loss_weight: 1e30", "1e30", "tasks[0].loss_weight", "'1e30'", "to 10000")]
    [InlineData("label: click", "label: click, keep_negatives: 0", "0 } ]", "tasks[0].keep_negatives", "'0'", "from 0.000001 to 1")]
    [InlineData("label: click", "label: click, keep_negatives: 1.5", "1.5", "tasks[0].keep_negatives", "'1.5'", "from 0.000001 to 1")]
    [InlineData("label: click", "actions: click", "click }", "tasks[0].actions", "'click'", "the most important first")]
    [InlineData("label: click", "actions: [ { is: click } ]", "is: click", "tasks[0].actions[0].is", "an unknown key", "kind")]
    [InlineData("label: click", "actions: [ { kind: hide, makes: negative } ]", "[ { kind: hide", "tasks[0].actions", "negatives only", "at least one")]
    [InlineData("label: click", "actions: [ { kind: a, makes: neg } ]", "neg }", "tasks[0].actions[0].makes", "'neg'", "positive, negative")]
    [InlineData("label: click", "actions: [ { kind: a, weight: -1 } ]", "-1", "tasks[0].actions[0].weight", "'-1'", "the word value")]
    [InlineData("label: click", "actions: [ { kind: a, weight: value, max_weight: 0 } ]", "0 }", "tasks[0].actions[0].max_weight", "'0'", "above 0")]
    [InlineData("label: click", "actions: [ { kind: a, at_least: 5, below: 5 } ]", "{ kind: a", "tasks[0].actions[0]", "at_least 5 and below 5", "smaller")]
    [InlineData("label: click", "actions: [ { kind: a, at_least: x } ]", "x }", "tasks[0].actions[0].at_least", "'x'", "a number")]
    [InlineData("label: click", "actions: [ { kind: a }, { kind: a, at_least: 5 } ]", "{ kind: a, at", "tasks[0].actions[1]", "'a', of which tasks[0].actions[0] takes every action that this could", "reached")]
    [InlineData("tasks: [", "join: { windows: { clack: 1d } }\ntasks: [", "1d", "join.windows.clack", "'clack' (did you mean 'click'?), which says nothing of any task", "click")]
    [InlineData("tasks: [", "join: { windows: { click: 0s } }\ntasks: [", "0s", "join.windows.click", "'0s'", "a duration")]
    [InlineData("network: {", "network: *none {", "{ kind: deepfm", "", "what is not YAML", "valid YAML")]
    [InlineData("tables:", "tables: 5\nfoo:", "5\nfoo", "tables", "'5'", "a list of tables")]
    public void A_mistake_has_its_place_and_says_what_is_allowed(
        string old, string replacement, string at, string path, string found, string allowed)
    {
        var yaml = Good.Replace(old, replacement, StringComparison.Ordinal);
        Assert.NotEqual(Good, yaml);
        var before = yaml[..yaml.IndexOf(at, yaml.IndexOf(replacement, StringComparison.Ordinal) is var i and > 20 ? i - 20 : 0, StringComparison.Ordinal)];
        var place = (before.Count(c => c == '\n') + 1, before.Length - before.LastIndexOf('\n'));

        var e = Assert.Throws<SpecException>(() => ModelSpecFile.Parse(yaml, "bad.yaml"));
        var mistake = Assert.Single(e.Mistakes, m => m.Path == path);
        Assert.Equal((place, found), ((mistake.Line, mistake.Column), mistake.Found));
        Assert.Contains(allowed, mistake.Allowed, StringComparison.Ordinal);
        Assert.True(e.Mistakes.Count <= 2, e.Message);
    }

    [Fact]
    public void All_mistakes_are_reported_at_once_in_the_order_of_the_file_and_none_twice()
    {
        var yaml = """
            model: Shop
            shards: 5
            partition_by: usr
            tables:
              - name: main
                colour: red
                segments:
                  - { dimension: 1, optimizer: { kind: adagard } }
                  - { dimension: many, optimizer: { kind: adagrad } }
            features:
              - { name: user, kind: categorial }
              - { name: item, kind: categorical, table: mane }
              - { name: ui, kind: cross, of: [user, itme] }
            tasks: [ { name: click, label: click, base_rate: 2 } ]
            """;
        var e = Assert.Throws<SpecException>(() => ModelSpecFile.Parse(yaml, "shop.yaml"));
        Assert.Equal(
            [
                "model", "shards", "partition_by", "tables[0].colour", "tables[0].segments[0].optimizer.kind",
                "tables[0].segments[1].dimension", "features[0].kind", "features[1].table", "features[2].of[1]", "tasks[0].base_rate",
            ],
            e.Mistakes.Select(m => m.Path));
        Assert.StartsWith("shop.yaml: 10 mistakes\n  line 1, column 8: model: found 'Shop'; allowed: ", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("just text")]
    [InlineData("- a\n- b")]
    [InlineData("a: b\n---\nc: d")]
    [InlineData("a: [1, 2")]
    [InlineData("\t\tx")]
    [InlineData("&a [*a]")]
    [InlineData("? [a, b]\n: c")]
    [InlineData("\0")]
    public void What_is_no_specification_at_all_is_refused(string yaml)
    {
        var e = Assert.Throws<SpecException>(() => ModelSpecFile.Parse(yaml, "x"));
        Assert.All(e.Mistakes, m => Assert.True(m is { Line: > 0, Column: > 0, Found.Length: > 0, Allowed.Length: > 0 }));
    }

    [Fact]
    public void Deep_nesting_and_long_texts_are_refused_without_harm()
    {
        Assert.Throws<SpecException>(() => ModelSpecFile.Parse("a: " + new string('[', 500_000), "x"));
        Assert.Throws<SpecException>(() => ModelSpecFile.Parse(new string('a', ModelSpecFile.LengthMax + 1), "x"));
        Assert.Throws<SpecException>(() => ModelSpecFile.Parse("a: [" + string.Concat(Enumerable.Repeat("1,", 200_000)) + "]", "x"));
    }

    [Fact]
    public void Ones_are_the_constant_one()
    {
        var yaml = Good.Replace("kind: uniform, low: -0.1, high: 0.1", "kind: ones", StringComparison.Ordinal);
        Assert.Equal(new ConstantInitializer(1), ModelSpecFile.Parse(yaml, "x").Tables[0].Segments[1].Initializer);
    }

    [Fact]
    public void Anchors_and_aliases_save_typing()
    {
        var yaml = Good.Replace("optimizer: { kind: ftrl }", "optimizer: &o { kind: sgd, learning_rate: 0.5 }", StringComparison.Ordinal)
            .Replace("optimizer: { kind: adagrad }", "optimizer: *o", StringComparison.Ordinal);
        Assert.Equal(new SgdOptimizer { LearningRate = 0.5f }, ModelSpecFile.Parse(yaml, "x").Tables[0].Segments[1].Optimizer);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains(
            "no/such.yaml", Assert.Throws<FileNotFoundException>(() => ModelSpecFile.Load("no/such.yaml")).Message, StringComparison.Ordinal);

    [Fact]
    public void Whatever_becomes_of_the_text_it_loads_or_says_what_is_wrong()
    {
        var good = File.ReadAllText(RepositoryFiles.Model("demo.yaml")) + Good;
        var mutation = Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 30], Gen.OneOf(
            Gen.String[Gen.Char[" \n:-[]{},\"'#&*|>0aé\t"], 0, 6], Gen.OneOf(
                Gen.Const("kind: "), Gen.Const("null"), Gen.Const("1e999"), Gen.Const("NaN"), Gen.Const("- "), Gen.Const("{}"))));
        Gen.Select(Gen.Bool, mutation.Array[1, 6]).Sample((demo, mutations) =>
        {
            var text = demo ? good[..^Good.Length] : Good;
            foreach (var (at, length, replacement) in mutations)
            {
                var start = at * text.Length / 1001;
                text = string.Concat(text.AsSpan(0, start), replacement, text.AsSpan(Math.Min(text.Length, start + length)));
            }

            try
            {
                ModelSpecFile.Parse(text, "mutated");
            }
            catch (SpecException e)
            {
                return e.Mistakes.Count > 0 && e.Mistakes.All(m => m is { Line: > 0, Column: > 0 });
            }

            return true;
        }, iter: 3000);
    }
}
