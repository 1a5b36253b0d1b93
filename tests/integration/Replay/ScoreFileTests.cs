using CsCheck;
using Monolith.Contracts.Events;
using Monolith.Standalone.Replay;
using Monolith.Standalone.Reports;
using Monolith.Trainer.Sources;

namespace Monolith.Integration.Tests.Replay;

public sealed class ScoreFileTests
{
    [Fact]
    public void Rows_come_back_in_file_order_whatever_order_they_were_written_in()
    {
        using var file = new ScoreFile(Path.GetTempPath(), 1);
        Write(file, 5000, (0.3f, null), (0.4f, 1));
        Write(file, 0, (0.1f, 0), (0f, 0));
        Assert.Equal(5002, file.Rows);
        Assert.Equal(
            [new ScoredRow(0, 0.1f, 0), new ScoredRow(1, 0f, 0), new ScoredRow(5001, 0.4f, 1)], file.Read(0));
        Assert.Equal([new ScoredRow(5001, 0.4f, 1)], file.Read(0, 2));
    }

    [Fact]
    public void A_request_larger_than_the_buffer_is_written_whole()
    {
        using var file = new ScoreFile(Path.GetTempPath(), 1);
        Write(file, 0, [.. Enumerable.Range(0, 9000).Select(i => (i / 9000f, (float?)(i % 2)))]);
        Assert.Equal(Enumerable.Range(0, 9000).Select(i => new ScoredRow(i, i / 9000f, i % 2)), file.Read(0));
    }

    [Fact]
    public void The_area_under_the_curve_is_the_share_of_pairs_in_order_with_ties_halved() =>
        Gen.Select(Gen.Int[0, 6], Gen.Bool).List[2, 40].Sample(list =>
        {
            var pairs =
                from p in list.Where(e => e.Item2)
                from n in list.Where(e => !e.Item2)
                select p.Item1 > n.Item1 ? 1.0 : p.Item1 == n.Item1 ? 0.5 : 0.0;
            var expected = pairs.Any() ? pairs.Average() : (double?)null;
            var figures = QualityFigures.Of(list.Select(e => (e.Item1 / 10f, e.Item2 ? 1f : 0f)));
            Assert.Equal(expected.HasValue, figures.Auc.HasValue);
            Assert.Equal(expected ?? 0, figures.Auc ?? 0, 12);
        });

    [Fact]
    public void Perfect_calibration_and_the_entropy_of_the_base_rate_give_one()
    {
        var figures = QualityFigures.Of([(0.25f, 1f), (0.25f, 0f), (0.25f, 0f), (0.25f, 0f)]);
        Assert.Equal(1, figures.Calibration!.Value, 6);
        Assert.Equal(1, figures.NormalizedEntropy!.Value, 6);
    }

    private static void Write(ScoreFile file, long row, params (float Score, float? Label)[] rows)
    {
        var group = new ExampleGroup();
        foreach (var (_, label) in rows)
        {
            var example = new Example();
            example.Labels.Add(new Label { Present = label.HasValue, Value = label ?? 0 });
            group.Examples.Add(example);
        }

        file.Scored(0, new ExampleRecord(row, row + rows.Length, group), rows.Select(r => r.Score).ToArray());
    }
}
