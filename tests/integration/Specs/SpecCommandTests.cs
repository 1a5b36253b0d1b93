using Monolith.Contracts.Specification;
using Monolith.Integration.Tests.Replay;
using Monolith.Standalone.CommandLine;

namespace Monolith.Integration.Tests.Specs;

public sealed class SpecCommandTests : IDisposable
{
    private const string Clicks = """
        ts,user_id,session_id,step,device,tags,pos,item_id,price,click
        1541548955,u1,s1,1,mobile,a|b,1,11,10.5,0
        1541548955,u1,s1,1,mobile,a|b,2,12,12.5,1
        1541548960,u2,s2,1,desktop,,1,11,10.5,0

        """;

    private readonly Files _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_drafted_specification_is_valid_and_knows_what_the_columns_are_for()
    {
        var data = _files.Write(Clicks, "my clicks.csv.gz");
        var path = Path.ChangeExtension(data, ".yaml");
        Assert.Equal((ExitCodes.Success, string.Empty), await Run("spec", "init", "--data", data, "--output", path));
        var spec = ModelSpecFile.Load(path);
        Assert.Equal("my-clicks", spec.Name);
        Assert.Equal("user_id", spec.PartitionBy);
        Assert.Equal(["session_id", "step", "ts"], spec.Source!.Request);
        Assert.Equal(("ts", TimeUnit.Seconds, "item_id"), (spec.Source.Time, spec.Source.TimeUnit, spec.Source.Item));
        Assert.Equal("click", spec.Tasks.Single().Label);
        Assert.Equal(1.0 / 3, spec.Tasks.Single().BaseRate, 3);
        Assert.Equal("pos", spec.Training.Baseline);
        Assert.Equal("1", spec.Features.Single(f => f.Name == "pos").ScoreAs);
        Assert.Equal("|", ((CategoricalFeature)spec.Features.Single(f => f.Name == "tags")).Separator);
        Assert.DoesNotContain(spec.Features, f => f.Name is "click" or "ts");
        Assert.Equal((ExitCodes.Success, string.Empty), await Run("spec", "validate", path));
    }

    [Fact]
    public async Task A_drafted_specification_overwrites_nothing()
    {
        var data = _files.Write(Clicks);
        var (code, error) = await Run("spec", "init", "--data", data, "--output", data);
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("exists", error);
    }

    [Fact]
    public async Task All_mistakes_are_listed_at_once()
    {
        var path = _files.Write("model: Bad Name\nshards: 3\nfeaturs: []\n", "bad.yaml");
        var (code, error) = await Run("spec", "validate", path);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains("line 1", error);
        Assert.Contains("line 2", error);
        Assert.Contains("line 3", error);
        Assert.Contains("features", error);
    }

    [Fact]
    public async Task Odd_column_names_still_give_a_valid_specification()
    {
        var data = _files.Write("time,on,\"price: $\",y,#1,empty\n1541548955,a,3,1,7,\n1541548956,b,4,0,8,\n");
        var path = Path.ChangeExtension(data, ".yaml");
        Assert.Equal((ExitCodes.Success, string.Empty), await Run("spec", "init", "--data", data, "--output", path));
        Assert.Equal("y", ModelSpecFile.Load(path).Tasks.Single().Label);
    }

    [Fact]
    public async Task What_could_only_be_guessed_is_marked_and_a_file_without_features_is_refused()
    {
        var data = _files.Write("day,user,liked\n2020-01-01,a,yes\n2020-01-02,b,no\n");
        var path = Path.ChangeExtension(data, ".yaml");
        Assert.Equal((ExitCodes.Success, string.Empty), await Run("spec", "init", "--data", data, "--output", path));
        Assert.Equal(1, File.ReadLines(path).Count(line => line.StartsWith("# CHECK", StringComparison.Ordinal)));
        Assert.Equal(("liked", null), (ModelSpecFile.Load(path).Tasks.Single().Label, ModelSpecFile.Load(path).Source!.Time));
        Assert.Equal(["day", "user"], ModelSpecFile.Load(path).Features.Select(f => f.Name));

        var (code, error) = await Run("spec", "init", "--data", _files.Write("ts,click\n1541548955,1\n1541548956,0\n", "two.csv"));
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains("nothing to learn from", error);
    }

    private static async Task<(int Code, string Error)> Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return (await MonolithCommandLine.RunAsync(args, output, error), error.ToString());
    }
}
