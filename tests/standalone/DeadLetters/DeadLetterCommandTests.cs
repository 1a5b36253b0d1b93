using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Events.Embedded;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Hosting;

namespace Monolith.Standalone.Tests.DeadLetters;

public sealed class DeadLetterCommandTests : IDisposable
{
    private static readonly byte[] Binary = [0, 1, 2, 0xff, (byte)'A'];
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"monolith-dlq-{Guid.NewGuid():n}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_stopped_folder_lists_what_was_put_aside_with_place_source_and_reason()
    {
        await Fill();
        var (code, said) = await Dlq("list");
        Assert.Equal(ExitCodes.Success, code);
        var lines = said.Split('\n', StringSplitOptions.TrimEntries);
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("0/0  ", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("shop.impressions/3@41  request_id: is missing", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("shop.actions/1@7  no protobuf", lines[1], StringComparison.Ordinal);
        Assert.Equal("2 dead letters", lines[2]);

        (_, said) = await Dlq("list", "--last", "1", "--json");
        var only = Assert.Single(JsonNode.Parse(said)!.AsArray())!;
        Assert.Equal("no protobuf", (string)only["reason"]!);
        Assert.Equal("7", (string)only["source_offset"]!);
        Assert.Equal(Binary, Convert.FromBase64String((string)only["value"]!));

        (_, said) = await Dlq("list", "--orphans");
        Assert.Equal("0 orphans", said);
    }

    [Fact]
    public async Task One_is_shown_with_its_headers_and_its_bytes_as_text_or_as_a_dump()
    {
        await Fill();
        var (_, text) = await Dlq("show", "0/0");
        Assert.Contains("content-type: application/json", text, StringComparison.Ordinal);
        Assert.EndsWith("{\"items\": []}", text, StringComparison.Ordinal);
        var (_, dump) = await Dlq("show", "0/1");
        Assert.Contains("00000000  00 01 02 ff 41", dump, StringComparison.Ordinal);
        Assert.EndsWith("....A", dump, StringComparison.Ordinal);
        var (code, said) = await Dlq("show", "0/99");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.StartsWith("monolith: '0/99' is not among the 100 newest", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_protobuf_event_is_shown_decoded_too()
    {
        await Fill();
        using (var folder = DataFolder.Open(_folder))
        {
            await using var log = new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = folder.Log });
            var topics = new ModelTopics("shop");
            var shown = new Impression { RequestId = "r9", Items = { new ShownItem { ItemId = "a" } } };
            var record = new NewRecord(topics.DeadLetters, 0, "r9"u8.ToArray(), shown.ToByteArray())
            {
                Headers = [new(AsideHeaders.Topic, Encoding.UTF8.GetBytes(topics.Impressions)), new("content-type", "application/x-protobuf"u8.ToArray())],
            };
            await log.AppendAsync([record], Token);
        }

        var (_, said) = await Dlq("show", "0/2");
        Assert.Contains("event: { \"requestId\": \"r9\", \"items\": [ { \"itemId\": \"a\" } ] }", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_hostile_event_contains_moves_no_cursor_and_forges_no_line()
    {
        const string Hostile = "x\u001b[2J\n9/9  forged\u202e";
        await Fill();
        using (var folder = DataFolder.Open(_folder))
        {
            await using var log = new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = folder.Log });
            var topics = new ModelTopics("shop");
            var shown = new Impression { RequestId = Hostile };
            foreach (var value in new[] { shown.ToByteArray(), Encoding.UTF8.GetBytes(Hostile) })
            {
                var record = new NewRecord(topics.DeadLetters, 0, Encoding.UTF8.GetBytes(Hostile), value)
                {
                    Headers =
                    [
                        new(AsideHeaders.Topic, Encoding.UTF8.GetBytes(topics.Impressions)),
                        new(AsideHeaders.Reason, Encoding.UTF8.GetBytes(Hostile)), new(Hostile, Encoding.UTF8.GetBytes(Hostile)),
                    ],
                };
                await log.AppendAsync([record], Token);
            }
        }

        var (_, list) = await Dlq("list");
        Assert.Equal(5, list.Split('\n').Length);
        var (_, one) = await Dlq("show", "0/2");
        var (_, other) = await Dlq("show", "0/3");
        foreach (var said in new[] { list, one, other })
        {
            Assert.DoesNotContain('\u001b', said);
            Assert.DoesNotContain('\u202e', said);
            Assert.DoesNotContain(said.Split('\n'), line => line.StartsWith("9/9", StringComparison.Ordinal));
            Assert.Contains("x\\u001b[2J\\u000a9/9  forged\\u202e", said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_folder_in_use_another_model_and_no_place_at_all_are_one_clear_message()
    {
        await Fill();
        using (DataFolder.Open(_folder))
        {
            var (code, said) = await Dlq("list");
            Assert.Equal(ExitCodes.Failure, code);
            Assert.EndsWith("or ask the running service with --url", said, StringComparison.Ordinal);
        }

        var (_, other) = await Run("dlq", "list", "--model", "nobody", "--data-dir", _folder);
        Assert.Contains("There is no topic 'nobody.dead-letters'", other, StringComparison.Ordinal);
        var (usage, where) = await Run("dlq", "list", "--model", "shop");
        Assert.Equal(ExitCodes.Usage, usage);
        Assert.Contains("one of --data-dir, --url and --kafka says where to look", where, StringComparison.Ordinal);
    }

    private async Task Fill()
    {
        using var folder = DataFolder.Open(_folder);
        await using var log = new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = folder.Log });
        var topics = new ModelTopics("shop");
        await log.CreateTopicAsync(new TopicSettings { Name = topics.DeadLetters, Partitions = 1 }, Token);
        await log.CreateTopicAsync(new TopicSettings { Name = topics.Orphans, Partitions = 1 }, Token);
        await log.AppendAsync([Record("{\"items\": []}"u8.ToArray(), "request_id: is missing", topics.Impressions, 3, 41, true)], Token);
        await log.AppendAsync([Record(Binary, "no protobuf", topics.Actions, 1, 7, false)], Token);

        NewRecord Record(byte[] value, string reason, string topic, int partition, long offset, bool json)
        {
            List<EventHeader> headers =
            [
                Header("monolith-reason", reason), Header("monolith-topic", topic), Header("monolith-partition", $"{partition}"),
                Header("monolith-offset", $"{offset}"),
            ];
            if (json)
            {
                headers.Insert(0, Header("content-type", "application/json"));
            }

            return new NewRecord(topics.DeadLetters, 0, "r1"u8.ToArray(), value) { Headers = headers };
        }

        static EventHeader Header(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));
    }

    private Task<(int Code, string Said)> Dlq(params string[] arguments) => Run(["dlq", .. arguments, "--model", "shop", "--data-dir", _folder]);

    private static async Task<(int Code, string Said)> Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await MonolithCommandLine.RunAsync(arguments, output, error, Token);
        return (code, (output.ToString() + error).Trim());
    }
}
