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
            for (var s = 0; s < segments.Length; s++)
            {
                if (segments[s].Initializer is UniformInitializer uniform && !(uniform.Low < uniform.High))
                {
                    mistakes.AddUnlessKnown(
                        $"{path}[{s}].initializer",
                        string.Create(CultureInfo.InvariantCulture, $"low {uniform.Low} and high {uniform.High}"), "low below high");
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
