namespace Monolith.Contracts.Specification.Yaml;

/// <summary>Reads tables.</summary>
internal static class TableReader
{
    private static readonly Scalar<double> Any = Scalars.Number(float.MinValue, float.MaxValue);
    private static readonly Scalar<double> Positive = Scalars.Number(0, float.MaxValue, above: true);
    private static readonly Scalar<double> LearningRate = Scalars.Number(0, SpecLimits.LearningRate, above: true);
    private static readonly Scalar<double> NotNegative = Scalars.Number(0, float.MaxValue);
    private static readonly Scalar<double> Share = Scalars.Number(0, 1);

    private static readonly Scalar<long> Count = Scalars.Whole(1L, long.MaxValue);
    private static readonly Scalar<double> BelowOne = Scalars.Number(0, 1, below: true);

    private static readonly Scalar<UnseenValue> Unseen =
        Scalars.OneOf(("initial_value", UnseenValue.InitialValue), ("zeros", UnseenValue.Zeros));

    private static readonly Scalar<RowPrecision> Precision =
        Scalars.OneOf(("float32", RowPrecision.Float32), ("float16", RowPrecision.Float16), ("bfloat16", RowPrecision.BFloat16));

    private static readonly Scalar<EvictionOrder> Eviction = Scalars.OneOf(
        ("least_recently_used", EvictionOrder.LeastRecentlyUsed), ("least_frequently_used", EvictionOrder.LeastFrequentlyUsed),
        ("smallest_norm", EvictionOrder.SmallestNorm));

    private static readonly Scalar<bool> Truth = Scalars.OneOf(("true", true), ("false", false));

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
                ("after", m => new AdmitAfter(m.Required("threshold", Scalars.Whole(1, 15), 1))
                {
                    Remembered = m.Value("remembered", Scalars.Whole(SpecLimits.RememberedLeast, SpecLimits.Remembered), 1 << 18),
                }),
                ("by_share", m => new AdmitByShare(m.Required("threshold", Scalars.Whole(1, 1_000_000), 1))),
                ("by_chance", m => new AdmitByChance(m.Required("threshold", Scalars.Whole(1, 1_000_000), 1)))),
            Unseen = map.Value("unseen", Unseen, UnseenValue.InitialValue),
            Precision = map.Value("precision", Precision, RowPrecision.Float32),
            Budget = map.Map("budget") is { } budget ? Budget(budget) : null,
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
                ("ones", _ => new ConstantInitializer(1)),
                ("constant", m => new ConstantInitializer((float)m.Required("value", Any, 0))),
                ("uniform", m => new UniformInitializer((float)m.Required("low", Any, 0), (float)m.Required("high", Any, 1))),
                ("truncated_normal", m => new TruncatedNormalInitializer(
                    m.Single("mean", Any, 0), (float)m.Required("deviation", Positive, 1)))),
            Optimizer = Optimizer(map),
            ServingPrecision = map.Value("serving_precision", Precision, RowPrecision.Float32),
        };
        map.Done();
        return segment;
    }

    private static BudgetSpec Budget(MapReader map)
    {
        var budget = new BudgetSpec
        {
            MaxRows = map.Optional("max_rows", Count),
            MaxBytes = map.Optional("max_bytes", Scalars.Whole(SpecLimits.BudgetBytesLeast, long.MaxValue)),
            Evict = map.Value("evict", Eviction, EvictionOrder.LeastRecentlyUsed),
        };
        map.Done();
        return budget;
    }

    private static SparseOptimizerSpec Optimizer(MapReader map) => map.RequiredKind<SparseOptimizerSpec>(
        "optimizer", new AdagradOptimizer(),
        ("sgd", m => Common(m, new SgdOptimizer())),
        ("adagrad", m => Common(m, new AdagradOptimizer
        {
            InitialAccumulator = m.Single("initial_accumulator", Positive, 0.1f),
            DecoupledDecay = m.Single("decoupled_decay", NotNegative, 0),
        })),
        ("row_wise_adagrad", m => Common(m, new RowWiseAdagradOptimizer { InitialAccumulator = m.Single("initial_accumulator", Positive, 0.1f) })),
        ("momentum", m => Common(m, new MomentumOptimizer { Momentum = m.Single("momentum", Share, 0.9f), Nesterov = m.Value("nesterov", Truth, false) })),
        ("adadelta", m => Common(m, new AdadeltaOptimizer { Rho = m.Single("rho", Share, 0.9f), Epsilon = m.Single("epsilon", Positive, 0.01f) })),
        ("adam", m => Common(m, new SparseAdamOptimizer
        {
            Beta1 = m.Single("beta1", BelowOne, 0.9f),
            Beta2 = m.Single("beta2", BelowOne, 0.99f),
            Epsilon = m.Single("epsilon", Positive, 0.01f),
            Nesterov = m.Value("nesterov", Truth, false),
            AmsGrad = m.Value("ams_grad", Truth, false),
        })),
        ("rms_prop", m => Common(m, new RmsPropOptimizer { Momentum = m.Single("momentum", Share, 0.9f), Sums = m.Value("sums", Truth, false) })),
        ("ftrl", m => Common(m, new FtrlOptimizer
        {
            InitialAccumulator = m.Single("initial_accumulator", NotNegative, 0.1f),
            Beta = m.Single("beta", NotNegative, 0),
            L1 = m.Single("l1", NotNegative, 0),
            L2 = m.Single("l2", NotNegative, 0),
        })),
        ("group_adagrad", m => Common(m, new GroupAdagradOptimizer
        {
            InitialAccumulator = m.Single("initial_accumulator", NotNegative, 0.1f),
            Beta = m.Single("beta", NotNegative, 1),
            L2 = m.Single("l2", NotNegative, 0),
        })),
        ("group_ftrl", m => Common(m, new GroupFtrlOptimizer
        {
            InitialAccumulator = m.Single("initial_accumulator", NotNegative, 0.1f),
            Beta = m.Single("beta", NotNegative, 0),
            L1 = m.Single("l1", NotNegative, 0),
            L2 = m.Single("l2", NotNegative, 0),
        })),
        ("moving_average", m => new MovingAverageOptimizer { Decay = m.Single("decay", Share, 0.9f) }),
        ("batch_softmax", m => Rated(m, new BatchSoftmaxOptimizer())));

    private static T Common<T>(MapReader map, T optimizer)
        where T : SparseOptimizerSpec => Rated(map, optimizer) with { WeightDecay = map.Single("weight_decay", NotNegative, 0) };

    private static T Rated<T>(MapReader map, T optimizer)
        where T : SparseOptimizerSpec => optimizer with
        {
            LearningRate = map.Single("learning_rate", LearningRate, optimizer.LearningRate),
            Schedule = map.Kind<LearningRateSchedule>(
                "schedule", new ConstantRate(),
                ("constant", _ => new ConstantRate()),
                ("linear_warm_up", m => new LinearWarmUp(m.Required("steps", Count, 1))),
                ("polynomial", m => new PolynomialDecay(
                    m.Required("steps", Count, 1), m.Single("end_share", Share, 0), m.Single("power", Positive, 1))),
                ("exponential", m => new ExponentialDecay(
                    m.Required("steps", Count, 1), (float)m.Required("factor", Scalars.Number(0, 1, above: true), 1))),
                ("cosine", m => new CosineDecay(m.Required("steps", Count, 1), m.Single("end_share", Share, 0)))),
        };
}
