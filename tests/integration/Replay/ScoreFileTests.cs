using Monolith.Contracts.Events;
using Monolith.Standalone.Replay;
using Monolith.Trainer.Sources;

namespace Monolith.Integration.Tests.Replay;

public sealed class ScoreFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-scores-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Nothing_is_left_behind_and_what_a_killed_process_left_is_removed()
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "scores-old.tmp"), "left");
        using (var file = new ScoreFile(_folder.FullName, 1))
        {
            Write(file, 0, (0.1f, 0));
            Assert.Single(file.Read(0));
        }

        Assert.Empty(_folder.EnumerateFiles());
    }

    [Fact]
    public void Rows_come_back_in_file_order_whatever_order_they_were_written_in()
    {
        using var file = new ScoreFile(_folder.FullName, 1);
        Write(file, 5000, (0.3f, null), (0.4f, 1));
        Write(file, 0, (0.1f, 0), (0f, 0));
        Assert.Equal(5002, file.Rows);
        Assert.Equal(
            [new ScoredRow(0, 0.1f, 0), new ScoredRow(1, 0f, 0), new ScoredRow(5001, 0.4f, 1)], file.Read(0));
        Assert.Equal([0, 1, 5000, 5001], file.ReadAll().Select(r => r.Row));
    }

    [Fact]
    public void A_request_larger_than_the_buffer_is_written_whole()
    {
        using var file = new ScoreFile(_folder.FullName, 1);
        Write(file, 0, [.. Enumerable.Range(0, 9000).Select(i => (i / 9000f, (float?)(i % 2)))]);
        Assert.Equal(Enumerable.Range(0, 9000).Select(i => new ScoredRow(i, i / 9000f, i % 2)), file.Read(0));
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
