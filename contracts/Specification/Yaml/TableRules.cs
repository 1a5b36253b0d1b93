using System.Globalization;

namespace Monolith.Contracts.Specification.Yaml;

/// <summary>What must hold of tables.</summary>
internal static class TableRules
{
    /// <summary>Notes every mistake.</summary>
    public static void Check(ModelSpec spec, Mistakes mistakes)
    {
        int? width = null;
        for (var t = 0; t < spec.Tables.Length; t++)
        {
            var segments = spec.Tables[t].Segments;
            var path = $"tables[{t}].segments";
            if (spec.Tables[t].Budget is { MaxRows: null, MaxBytes: null })
            {
                mistakes.AddUnlessKnown($"tables[{t}].budget", "no bound", "max_rows, max_bytes, or both");
            }

            for (var s = 0; s < segments.Length; s++)
            {
                if (segments[s].Initializer is UniformInitializer uniform && !(uniform.Low < uniform.High))
                {
                    mistakes.AddUnlessKnown(
                        $"{path}[{s}].initializer",
                        string.Create(CultureInfo.InvariantCulture, $"low {uniform.Low} and high {uniform.High}"), "low below high");
                }
            }

            for (var s = 0; s < segments.Length; s++)
            {
                if (segments[s].Optimizer is GroupAdagradOptimizer { InitialAccumulator: 0, Beta: 0 }
                    or GroupFtrlOptimizer { InitialAccumulator: 0, Beta: 0 } or FtrlOptimizer { InitialAccumulator: 0, Beta: 0, L2: 0 })
                {
                    mistakes.AddUnlessKnown($"{path}[{s}].optimizer", "initial_accumulator 0 and beta 0", "at least one of them above 0");
                }

                if (segments[s] is { Optimizer: BatchSoftmaxOptimizer, Dimension: not 1 })
                {
                    mistakes.AddUnlessKnown($"{path}[{s}].dimension", $"'{segments[s].Dimension}'", "1 for batch_softmax");
                }
            }

            if (segments.Length != 2 || segments[0].Dimension != 1)
            {
                mistakes.AddUnlessKnown(
                    path, $"dimensions [{string.Join(", ", segments.Select(s => s.Dimension))}]",
                    "for deepfm two segments: one of dimension 1 (the weight), then one of dimension k (the vector)");
            }
            else if ((width ??= segments[1].Dimension) != segments[1].Dimension)
            {
                mistakes.AddUnlessKnown(
                    $"{path}[1].dimension", $"'{segments[1].Dimension}'", $"for deepfm the same in every table: {width} as in tables[0]");
            }
        }
    }
}
