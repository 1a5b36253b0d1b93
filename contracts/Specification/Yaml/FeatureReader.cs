namespace Monolith.Contracts.Specification.Yaml;

/// <summary>Reads features.</summary>
internal static class FeatureReader
{
    private static readonly Scalar<Combiner> Combiners =
        Scalars.OneOf(("sum", Combiner.Sum), ("mean", Combiner.Mean), ("sqrtn", Combiner.SqrtN));

    private static readonly Scalar<double> Number = Scalars.Number(double.MinValue, double.MaxValue);

    /// <summary>Reads a feature.</summary>
    /// <param name="map">The feature.</param>
    /// <param name="onlyTable">The model's table when it has just one: the feature's default.</param>
    public static FeatureSpec Read(MapReader map, string? onlyTable)
    {
        var name = map.RequiredText("name", Scalars.NameAllowed, Scalars.IsName);
        return map.ReadKind<FeatureSpec>(
            new CategoricalFeature { Name = name, Source = "", Table = "" },
            ("categorical", m => new CategoricalFeature
            {
                Name = name,
                Source = Source(m, name),
                Table = Table(m, onlyTable),
                Separator = m.Text("separator", "the text between two values, such as \"|\""),
                Combiner = m.Value("combiner", Combiners, Combiner.Sum),
                Bucketize = m.Kind<BucketizeSpec?>(
                    "bucketize", null,
                    ("log2", b => new LogBuckets(b.Value("per_octave", Scalars.Whole(1, 100), 1))),
                    ("boundaries", b => new BoundaryBuckets(b.Scalars("boundaries", true, Number)))),
                ScoreAs = m.Text("score_as", "the value that scoring uses"),
            }),
            ("cross", m => new CrossFeature
            {
                Name = name,
                Of = m.Texts("of", "a list of at least two features"),
                Table = Table(m, onlyTable),
            }),
            ("numeric", m => new NumericFeature
            {
                Name = name,
                Source = Source(m, name),
                Transforms = m.List("transforms", false, "a list of transforms", Transform),
                ScoreAs = m.Text("score_as", "the value that scoring uses"),
            }));
    }

    private static string Source(MapReader map, string name) =>
        map.Has("source") ? map.RequiredText("source", "an event field or file column") : name;

    private static string Table(MapReader map, string? onlyTable) => map.Has("table") || onlyTable is null
        ? map.RequiredText("table", "the name of a table")
        : onlyTable;

    private static NumericTransform Transform(MapReader map) => map.ReadKind<NumericTransform>(
        new LogTransform(),
        ("log", _ => new LogTransform()),
        ("standardize", m => new StandardizeTransform(
            m.Required("mean", Number, 0),
            m.Required("deviation", Scalars.Number(0, double.MaxValue, above: true), 1))),
        ("clip", m => new ClipTransform(m.Required("low", Number, 0), m.Required("high", Number, 1))));
}
