using System.CommandLine;
using System.Text.Json;
using Monolith.Events;
using Monolith.Events.Embedded;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Hosting;

namespace Monolith.Standalone.DeadLetters;

/// <summary><c>monolith dlq</c>: what was put aside, and why.</summary>
internal static class DeadLetterCommand
{
    private static readonly Option<string> Model = new("--model") { Description = "The model's name.", HelpName = "NAME", Required = true };

    private static readonly Option<string?> DataDir = new("--data-dir") { Description = "A data folder that no process uses.", HelpName = "DIR" };

    private static readonly Option<string?> Url = new("--url")
    {
        Description = "A running service, such as http://127.0.0.1:5080.",
        HelpName = "URL",
    };

    private static readonly Option<bool> Orphans = new("--orphans") { Description = "Actions whose impression never came, instead of dead letters." };

    private static readonly Option<int> Last = new("--last")
    {
        Description = "How many of the newest are looked at.",
        HelpName = "N",
        DefaultValueFactory = _ => 100,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "As JSON; the original bytes are base64." };

    private static readonly Argument<string> Place = new("PARTITION/OFFSET") { Description = "Which one, as 'dlq list' names it." };

    private static readonly ServerFlags Servers = new();

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var list = new DocumentedCommand(
            "list",
            "List the newest dead letters: where they lie, when, whence and why.",
            new Example("of a running service", "dlq list --model demo --url http://127.0.0.1:5080"),
            new Example("of a stopped one", "dlq list --model demo --data-dir data"),
            new Example("on Kafka", "dlq list --model demo --kafka 127.0.0.1:9092 --orphans --json"));
        var show = new DocumentedCommand(
            "show",
            "Show one with its headers, the event where it can be read, and the original bytes.",
            new Example("the first", "dlq show 0/0 --model demo --data-dir data"));
        show.Arguments.Add(Place);
        foreach (var command in (ReadOnlySpan<Command>)[list, show])
        {
            command.Options.Add(Model);
            command.Options.Add(DataDir);
            command.Options.Add(Url);
            Servers.AddKafkaTo(command);
            command.Options.Add(Orphans);
            command.Options.Add(Last);
            command.Options.Add(Json);
        }

        list.SetAction(async (parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var found = await Read(parsed, cancellation);
            if (parsed.GetValue(Json))
            {
                await output.WriteLineAsync(JsonSerializer.Serialize(found, DeadLetterJson.Default.DeadLetterArray));
                return ExitCodes.Success;
            }

            foreach (var letter in found)
            {
                await output.WriteLineAsync(letter.Line());
            }

            await output.WriteLineAsync($"{found.Length} {(parsed.GetValue(Orphans) ? "orphan" : "dead letter")}{(found.Length == 1 ? "" : "s")}");
            return ExitCodes.Success;
        });
        show.SetAction(async (parsed, cancellation) =>
        {
            var place = parsed.GetRequiredValue(Place);
            var letter = (await Read(parsed, cancellation)).FirstOrDefault(d => $"{d.Partition}/{d.Offset}" == place)
                ?? throw new UsageException($"'{place}' is not among the {parsed.GetValue(Last)} newest; 'dlq list' shows them, --last looks further back");
            await parsed.InvocationConfiguration.Output.WriteLineAsync(
                parsed.GetValue(Json) ? JsonSerializer.Serialize([letter], DeadLetterJson.Default.DeadLetterArray) : DeadLetterText.Of(letter));
            return ExitCodes.Success;
        });
        return new Command("dlq", "See what could not be used (dead letters) or never found its impression (orphans), and why.") { list, show };
    }

    private static async Task<DeadLetter[]> Read(ParseResult parsed, CancellationToken cancellation)
    {
        var last = parsed.GetValue(Last);
        if (last is < 1 or > DeadLetterReader.Max)
        {
            throw new UsageException($"--last is {last}; allowed is 1 to {DeadLetterReader.Max}");
        }

        var model = parsed.GetRequiredValue(Model);
        var servers = Servers.Read(parsed);
        var (folder, url) = (parsed.GetValue(DataDir), parsed.GetValue(Url));
        if (new object?[] { folder, url, servers.Kafka }.Count(place => place is not null) != 1)
        {
            throw new UsageException("one of --data-dir, --url and --kafka says where to look");
        }

        if (url is not null)
        {
            return await RunningService.Get(
                url,
                $"/v1/models/{Uri.EscapeDataString(model)}/{(parsed.GetValue(Orphans) ? "orphans" : "dead-letters")}?last={last}",
                DeadLetterJson.Default.DeadLetterArray,
                cancellation);
        }

        var topic = parsed.GetValue(Orphans) ? new ModelTopics(model).Orphans : new ModelTopics(model).DeadLetters;
        try
        {
            using var held = folder is null ? null : OpenStopped(folder);
            await using IEventLog log = held is null
                ? Hosting.Servers.OpenKafka(servers)
                : new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = held.Log });
            return await DeadLetterReader.Newest(log, topic, last, cancellation);
        }
        catch (EventLogException exception)
        {
            throw new HostStartException(exception.Message, exception);
        }
    }

    private static DataFolder OpenStopped(string folder)
    {
        if (!Directory.Exists(Path.Combine(folder, "log")))
        {
            throw new UsageException($"--data-dir {folder} holds no event log");
        }

        try
        {
            return DataFolder.Open(folder);
        }
        catch (DataFolderException exception) when (exception.InnerException is IOException)
        {
            throw new DataFolderException($"{exception.Message}; or ask the running service with --url", exception);
        }
    }
}
