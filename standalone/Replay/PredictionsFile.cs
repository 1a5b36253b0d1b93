using System.Globalization;
using System.Text;
using Monolith.Contracts.Specification;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Replay;

/// <summary>Writes every row's score before learning, in file order: anyone can compute any metric from it.</summary>
internal static class PredictionsFile
{
    /// <summary>
    /// Writes <c>row,label,score</c>, rows counted from 1; with several tasks <c>row,label_a,score_a,label_b,…</c>. A label that
    /// the file does not have is empty, and so is the score of an example that was left out.
    /// </summary>
    public static void Write(string file, ModelSpec spec, ScoreFile scores) => AtomicFile.Write(file, stream =>
    {
        using var text = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
        text.WriteLine("row," + (spec.Tasks.Length == 1
            ? "label,score"
            : string.Join(',', spec.Tasks.Select(t => $"label_{t.Name},score_{t.Name}"))));
        foreach (var (row, cells) in scores.ReadAll())
        {
            text.Write((row + 1).ToString(CultureInfo.InvariantCulture));
            for (var t = 0; t < spec.Tasks.Length; t++)
            {
                var (score, label) = cells[t];
                text.Write(FormattableString.Invariant($",{label},{(float.IsNaN(score) ? null : score)}"));
            }

            text.WriteLine();
        }
    });
}
