using Monolith.Contracts.Specification;
using Monolith.Standalone.Replay;

namespace Monolith.Integration.Tests.Replay;

public sealed class BaselineScoresTests : IDisposable
{
    private static readonly ModelSpec Spec = Files.Spec with
    {
        Training = new TrainingSpec { Baseline = "position" },
        Tasks = [Files.Spec.Tasks[0] with { BaseRate = 0.1 }],
    };

    private readonly Files _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_whole_request_is_scored_before_any_of_it_is_learned()
    {
        var path = _files.Write(Files.Header + "\n1,a,s1,x,1,,1\n1,a,s1,y,1,,1\n2,a,s2,x,1,,0\n3,a,s3,x,2,,0\n");
        var rows = Enumerable.Range(0, 4).Select(i => new ScoredRow(i, 0.5f, i < 2 ? 1 : 0));
        var scores = BaselineScores.Of(Spec, path, rows).Select(r => r.Score);
        Assert.Equal([0.1f, 0.1f, (float)((2 + 2) / 22.0), 0.1f], scores);
    }

    [Fact]
    public void Rows_that_the_model_did_not_score_are_passed_over()
    {
        var path = _files.Write(Files.Header + "\n1,a,s1,x,1,,1\n1,a,s1,y,1,,1\n2,a,s2,x,1,,0\n");
        var scores = BaselineScores.Of(Spec, path, [new ScoredRow(1, 0.5f, 1), new ScoredRow(2, 0.5f, 0)]);
        Assert.Equal([new ScoredRow(1, 0.1f, 1), new ScoredRow(2, (float)((1 + 2) / 21.0), 0)], scores);
    }
}
