using System.Text.Json.Nodes;
using static Monolith.Contracts.Specification.SpecJson;

namespace Monolith.Contracts.Specification;

/// <summary>The optimizers of rows in the resolved form of a specification.</summary>
internal static class SpecJsonOptimizers
{
    /// <summary>Writes an optimizer of rows.</summary>
    public static JsonObject Of(SparseOptimizerSpec optimizer)
    {
        (string, JsonNode?)[] common =
        [
            ("learning_rate", Number(optimizer.LearningRate)),
            ("weight_decay", Number(optimizer.WeightDecay)),
            ("schedule", Schedule(optimizer.Schedule)),
        ];
        return optimizer switch
        {
            SgdOptimizer => Kind("sgd", common),
            AdagradOptimizer a => Kind(
                "adagrad",
                [
                    .. common, ("initial_accumulator", Number(a.InitialAccumulator)),
                    ("decoupled_decay", Number(a.DecoupledDecay)),
                ]),
            RowWiseAdagradOptimizer a => Kind("row_wise_adagrad", [.. common, ("initial_accumulator", Number(a.InitialAccumulator))]),
            MomentumOptimizer m => Kind("momentum", [.. common, ("momentum", Number(m.Momentum)), ("nesterov", m.Nesterov)]),
            AdadeltaOptimizer a => Kind("adadelta", [.. common, ("rho", Number(a.Rho)), ("epsilon", Number(a.Epsilon))]),
            SparseAdamOptimizer a => Kind(
                "adam",
                [
                    .. common, ("beta1", Number(a.Beta1)), ("beta2", Number(a.Beta2)), ("epsilon", Number(a.Epsilon)),
                    ("nesterov", a.Nesterov), ("ams_grad", a.AmsGrad),
                ]),
            RmsPropOptimizer r => Kind("rms_prop", [.. common, ("momentum", Number(r.Momentum)), ("sums", r.Sums)]),
            FtrlOptimizer f => Kind("ftrl", [.. common, .. Ftrl(f.InitialAccumulator, f.Beta, f.L1, f.L2)]),
            GroupAdagradOptimizer g => Kind(
                "group_adagrad",
                [.. common, ("initial_accumulator", Number(g.InitialAccumulator)), ("beta", Number(g.Beta)), ("l2", Number(g.L2))]),
            GroupFtrlOptimizer g => Kind("group_ftrl", [.. common, .. Ftrl(g.InitialAccumulator, g.Beta, g.L1, g.L2)]),
            MovingAverageOptimizer m => Kind("moving_average", ("decay", Number(m.Decay))),
            BatchSoftmaxOptimizer => Kind("batch_softmax", common[0], common[2]),
            _ => throw Unknown(optimizer),
        };
    }

    private static (string, JsonNode?)[] Ftrl(float accumulator, float beta, float l1, float l2) =>
    [
        ("initial_accumulator", Number(accumulator)), ("beta", Number(beta)), ("l1", Number(l1)), ("l2", Number(l2)),
    ];

    private static JsonObject Schedule(LearningRateSchedule schedule) => schedule switch
    {
        ConstantRate => Kind("constant"),
        LinearWarmUp s => Kind("linear_warm_up", ("steps", s.Steps)),
        PolynomialDecay s => Kind(
            "polynomial", ("steps", s.Steps), ("end_share", Number(s.EndShare)), ("power", Number(s.Power))),
        ExponentialDecay s => Kind("exponential", ("steps", s.Steps), ("factor", Number(s.Factor))),
        CosineDecay s => Kind("cosine", ("steps", s.Steps), ("end_share", Number(s.EndShare))),
        _ => throw Unknown(schedule),
    };
}
