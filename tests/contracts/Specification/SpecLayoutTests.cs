using Monolith.Contracts.Specification;

namespace Monolith.Contracts.Tests.Specification;

public sealed class SpecLayoutTests
{
    private static readonly ModelSpec Spec = ModelSpecFile.Load(RepositoryFiles.Model("trivago.yaml"));
    private static readonly SpecLayout Layout = SpecLayout.Of(Spec);

    [Fact]
    public void What_may_change_leaves_the_fingerprint_alone()
    {
        var table = Spec.Tables[0];
        var faster = table with { Expiry = TimeSpan.FromDays(1), Segments = [.. table.Segments.Select(s => s with { Optimizer = s.Optimizer with { LearningRate = 1 } })] };
        var changed = Spec with { Tables = [faster], Training = new TrainingSpec { MicroBatch = 1 }, Sync = Spec.Sync with { Interval = TimeSpan.FromSeconds(1) } };
        Assert.Equal(Layout.Fingerprint, SpecLayout.Of(changed).Fingerprint);
        Assert.Empty(SpecLayout.Of(changed).Differences(Layout.Lines));
    }

    [Fact]
    public void What_stored_parameters_depend_on_changes_it_and_is_named()
    {
        var table = Spec.Tables[0];
        ModelSpec[] changed =
        [
            Spec with { Seed = 2 }, Spec with { Shards = 4 }, Spec with { Name = "other" },
            Spec with { Tables = [table with { Segments = [table.Segments[0], table.Segments[1] with { Dimension = 8 }] }] },
            Spec with { Tables = [table with { Segments = [table.Segments[0], table.Segments[1] with { Optimizer = new SgdOptimizer() }] }] },
            Spec with { Tables = [table with { Precision = RowPrecision.Float16 }] },
            Spec with { Features = [.. Spec.Features.Reverse()] }, Spec with { Features = Spec.Features[1..] },
            Spec with { Network = new DeepFmNetwork { Hidden = [64] } }, Spec with { Tasks = [Spec.Tasks[0] with { Name = "buy" }] },
        ];
        foreach (var spec in changed)
        {
            Assert.NotEqual(Layout.Fingerprint, SpecLayout.Of(spec).Fingerprint);
            Assert.NotEmpty(SpecLayout.Of(spec).Differences(Layout.Lines));
        }

        Assert.Equal(["stored: seed 1", "now: seed 2"], SpecLayout.Of(changed[0]).Differences(Layout.Lines));
    }
}
