using Monolith.Standalone.Demo;

namespace Monolith.Standalone.Tests.Demo;

public sealed class DemoStateTests
{
    [Fact]
    public void Topics_of_other_demos_are_spoken_of_by_the_demos_names_and_nothing_else_is()
    {
        string[] mine = ["demo-00000001.impressions", "demo-00000001.actions"];
        string[] strange = ["demo.impressions", "demonstration-1.impressions", "shop-0.impressions", "demo-notes", "__consumer_offsets"];
        Assert.Null(DemoState.OthersOn([.. mine, .. strange], "demo", "demo-00000001"));

        var said = DemoState.OthersOn([.. mine, .. strange, "demo-00000002.actions", "demo-00000002.impressions"], "demo", "demo-00000001");
        Assert.StartsWith("This Kafka has topics of another demo (demo-00000002): ", said, StringComparison.Ordinal);
        Assert.EndsWith("--delete --topic 'demo-00000002[.].*'", said, StringComparison.Ordinal);

        said = DemoState.OthersOn(Enumerable.Range(2, 7).Reverse().Select(i => $"demo-0000000{i}.impressions"), "demo", "demo-00000001");
        Assert.StartsWith("This Kafka has topics of 7 other demos (demo-00000002, ", said, StringComparison.Ordinal);
        Assert.Contains("demo-00000006, …)", said, StringComparison.Ordinal);
    }
}
