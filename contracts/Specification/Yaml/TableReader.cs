namespace Monolith.Contracts.Specification.Yaml;

/// <summary>Reads tables.</summary>
internal static class TableReader
{
    private static readonly Scalar<double> Any = Scalars.Number(float.MinValue, float.MaxValue);
    private static readonly Scalar<double> Positive = Scalars.Number(0, float.MaxValue, above: true);
    private static readonly Scalar<double> NotNegative = Scalars.Number(0, float.MaxValue);
    private static readonly Scalar<double> Share = Scalars.Number(0, 1);

    /// <summary>Reads a table.</summary>
    public static TableSpec Read(MapReader map)
    {
        var table = new TableSpec
        {
            Name = map.RequiredText("name", Scalars.NameAllowed, Scalars.IsName),
            Expiry = map.Optional("expiry", Scalars.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromDays(36_500))),
            Admission = map.Kind<AdmissionSpec>(
                "admission", new AdmitAll(),
                ("all", _ => new AdmitAll()),
                ("after", m => new AdmitAfter(m.Required("threshold", Scalars.Whole(1, 15), 1)))),
            Segments = map.List("segments", true, "a list of segments", Segment),
        };
        map.Done();
        return table;
    }

    private static SegmentSpec Segment(MapReader map)
    {
        var segment = new SegmentSpec
        {
            Dimension = map.Required("dimension", Scalars.Whole(1, SpecLimits.Dimension), 1),
            Initializer = map.Kind<InitializerSpec>(
                "initializer", new ZerosInitializer(),
                ("zeros", _ => new ZerosInitializer()),
                ("constant", m => new ConstantInitializer((float)m.Required("value", Any, 0))),
                ("uniform", m => new UniformInitializer((float)m.Required("low", Any, 0), (float)m.Required("high", Any, 1)))),
            Optimizer = Optimizer(map),
        };
        map.Done();
        return segment;
    }

    private static SparseOptimizerSpec Optimizer(MapReader map) => map.RequiredKind<SparseOptimizerSpec>(
        "optimizer", new AdagradOptimizer(),
        ("sgd", m => Common(m, new SgdOptimizer())),
        ("adagrad", m => Common(m, new AdagradOptimizer { InitialAccumulator = m.Single("initial_accumulator", Positive, 0.1f) })),
        ("ftrl", m => Common(m, new FtrlOptimizer
        {
            InitialAccumulator = m.Single("initial_accumulator", NotNegative, 0.1f),
            Beta = m.Single("beta", NotNegative, 0),
            L1 = m.Single("l1", NotNegative, 0),
            L2 = m.Single("l2", NotNegative, 0),
        })),
        ("moving_average", m => new MovingAverageOptimizer { Decay = m.Single("decay", Share, 0.9f) }));

    private static T Common<T>(MapReader map, T optimizer)
        where T : SparseOptimizerSpec => optimizer with
        {
            LearningRate = map.Single("learning_rate", Positive, optimizer.LearningRate),
            WeightDecay = map.Single("weight_decay", NotNegative, 0),
        };
}
