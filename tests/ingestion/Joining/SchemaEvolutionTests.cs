using System.Text;
using Google.Protobuf;
using Monolith.Contracts.Events;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>Records of senders that are newer or older than this version.</summary>
public sealed class SchemaEvolutionTests : IAsyncLifetime
{
    private const int NewerField = 500;
    private readonly Fixture _f = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _f.DisposeAsync();

    [Fact]
    public async Task Values_that_a_newer_sender_adds_travel_through_to_the_example()
    {
        using var joiner = await _f.StartJoinerAsync();
        var impression = Fixture.Impression("r1", _f.NowMs, "a");
        impression.Shared["user_id"] = Newer(impression.Shared["user_id"], "of the value");
        impression.Items[0] = Newer(impression.Items[0], "of the item");
        impression.Items[0].Features["shape"] = Newer(new FeatureValue(), "of a kind unknown here");
        await _f.Log.AppendAsync([_f.Record(Newer(impression, "of the impression"))], Token);
        await _f.Log.AppendAsync([_f.Record(Newer(Fixture.Action("r1", "a", _f.NowMs), "of the action"))], Token);
        var group = Assert.Single(await _f.GroupsAsync(1));
        Assert.Equal("ur1", group.Shared["user_id"].Text);
        Assert.Contains("of the value", Bytes(group.Shared["user_id"]), StringComparison.Ordinal);
        var example = Assert.Single(group.Examples);
        Assert.Equal(FeatureValue.KindOneofCase.None, example.Features["shape"].KindCase);
        Assert.Contains("of a kind unknown here", Bytes(example.Features["shape"]), StringComparison.Ordinal);
        await joiner.StopAsync(Token);
    }

    [Fact]
    public async Task What_an_older_sender_leaves_out_has_its_default()
    {
        using var joiner = await _f.StartJoinerAsync();
        await _f.Log.AppendAsync(
            [
                _f.Record(new Impression { RequestId = "r1", Items = { new ShownItem { ItemId = "a" } } }),
                _f.Record(new Contracts.Events.Action { RequestId = "r1", ItemId = "a", Kind = "click" }),
            ],
            Token);
        var group = Assert.Single(await _f.GroupsAsync(1));
        Assert.Equal(_f.NowMs, group.EventTimeMs); // when the log took it
        var example = Assert.Single(group.Examples);
        Assert.False(example.HasServedScore);
        Assert.Empty(example.Features);
        Assert.Equal(1, Assert.Single(example.Labels).Value);
        await joiner.StopAsync(Token);
    }

    /// <summary>The message with a field that this version's schema does not have.</summary>
    private static T Newer<T>(T message, string text)
        where T : IMessage<T>, new()
    {
        using var bytes = new MemoryStream();
        using (var writer = new CodedOutputStream(bytes, leaveOpen: true))
        {
            message.WriteTo(writer);
            writer.WriteTag(NewerField, WireFormat.WireType.LengthDelimited);
            writer.WriteString(text);
        }

        return new MessageParser<T>(() => new T()).ParseFrom(bytes.ToArray());
    }

    private static string Bytes(IMessage message) => Encoding.UTF8.GetString(message.ToByteArray());
}
