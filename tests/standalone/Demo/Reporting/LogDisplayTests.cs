using Monolith.Serving.Api;
using Monolith.Standalone.Demo.Reporting;

namespace Monolith.Standalone.Tests.Demo.Reporting;

public sealed class LogDisplayTests
{
    [Fact]
    public void A_line_ends_with_the_events_that_were_left_out_if_there_are_any()
    {
        Assert.EndsWith(" errors 0", Line([]), StringComparison.Ordinal);
        Assert.EndsWith(" errors 0", Line(new() { ["matched"] = 9, ["duplicate"] = 2, ["late"] = 0, ["orphan"] = 0 }), StringComparison.Ordinal);
        Assert.EndsWith(
            " errors 0 late 3 orphan 2 dead_letter 1",
            Line(new() { ["matched"] = 9, ["late"] = 3, ["orphan"] = 2, ["dead_letter"] = 1, ["duplicate"] = 4 }),
            StringComparison.Ordinal);
    }

    private static string Line(Dictionary<string, long> events)
    {
        using var said = new StringWriter();
        using var display = new LogDisplay(said);
        var joiner = new JoiningStatus
        {
            Running = true,
            Partitions = 1,
            WatermarkMs = 0,
            DelaySeconds = null,
            PendingItems = 0,
            WaitingActions = 0,
            Events = events,
            Labels = new Dictionary<string, long>(),
            Examples = 0,
            LastError = null,
        };
        var training = new TrainingStatus
        {
            Tasks = [],
            Lag = new Dictionary<string, long>(),
            Rows = new Dictionary<string, long>(),
            Bytes = 0,
            Rounds = 0,
            Workers = [],
            Joiner = joiner,
        };
        var status = new ModelStatus
        {
            Model = "m",
            Ready = true,
            WatermarkMs = 0,
            AgeSeconds = null,
            CanaryMs = 0,
            Versions = [],
            Rows = new Dictionary<string, long>(),
            Training = training,
        };
        display.Show(new DemoView(TimeSpan.Zero, 0, 0, null, null, 0, TimeSpan.Zero, status));
        return said.ToString().TrimEnd();
    }
}
