using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Monolith.Contracts.Specification.Yaml;

/// <summary>
/// Builds nodes from YamlDotNet's parser. Not its own document model, because that one gives up at the first doubled key
/// and recurses as deep as the file says; here doubled keys are one mistake among others and the depth is bounded.
/// </summary>
internal sealed class Composer(IParser parser, Mistakes mistakes)
{
    private const int DepthMax = 32;
    private const int NodesMax = 100_000;
    private readonly Dictionary<AnchorName, Node> _anchors = [];
    private int _nodes;

    /// <summary>The file's only document; null, with a mistake, when there is none that can be read.</summary>
    public static Node? Compose(string yaml, Mistakes mistakes)
    {
        try
        {
            var parser = new Parser(new Scanner(new StringReader(yaml)));
            parser.Consume<StreamStart>();
            if (parser.TryConsume<StreamEnd>(out _))
            {
                mistakes.Add(1, 1, "", "an empty file", "a model specification");
                return null;
            }

            parser.Consume<DocumentStart>();
            var root = new Composer(parser, mistakes).Node("", 0);
            parser.Consume<DocumentEnd>();
            if (parser.TryConsume<DocumentStart>(out var second))
            {
                mistakes.Add(Line(second), Column(second), "", "a second document", "one document a file");
            }

            return root;
        }
        catch (TooLarge)
        {
            return null;
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException or ArgumentException)
        {
            // The parser's own failures; some of them are not wrapped by it.
            var start = e is YamlException yamlException ? yamlException.Start : Mark.Empty;
            mistakes.Add((int)Math.Max(start.Line, 1), (int)Math.Max(start.Column, 1), "", "what is not YAML", Reason(e));
            return null;
        }
    }

    private static string Reason(Exception e) => $"valid YAML ({e.Message.ReplaceLineEndings(" ").TrimEnd('.')})";

    private static int Line(ParsingEvent e) => (int)e.Start.Line;

    private static int Column(ParsingEvent e) => (int)e.Start.Column;

    private Node Node(string path, int depth)
    {
        var next = parser.Current ?? throw new InvalidOperationException("the file ends too early");
        if (depth > DepthMax || ++_nodes > NodesMax)
        {
            mistakes.Add(
                Line(next), Column(next), path, depth > DepthMax ? "deeper nesting" : "more values",
                $"at most {DepthMax} levels and {NodesMax} values");
            throw new TooLarge();
        }

        var anchor = (next as NodeEvent)?.Anchor ?? AnchorName.Empty;
        Node node = next switch
        {
            Scalar => Value(parser.Consume<Scalar>()),
            SequenceStart => List(parser.Consume<SequenceStart>(), path, depth),
            MappingStart => Map(parser.Consume<MappingStart>(), path, depth),
            AnchorAlias => Alias(parser.Consume<AnchorAlias>(), path),
            _ => throw new InvalidOperationException($"unexpected {next.GetType().Name}"),
        };
        if (!anchor.IsEmpty && next is not AnchorAlias)
        {
            _anchors[anchor] = node;
        }

        return node;
    }

    private static ScalarNode Value(Scalar e) => new(
        e.Value, e.Style == ScalarStyle.Plain && e.Value is "" or "~" or "null", Line(e), Column(e));

    private Node Alias(AnchorAlias e, string path)
    {
        if (_anchors.TryGetValue(e.Value, out var node))
        {
            return node;
        }

        mistakes.Add(Line(e), Column(e), path, $"'*{e.Value}'", "an alias of an anchor that was given before, as in &name");
        return new ScalarNode("", true, Line(e), Column(e));
    }

    private ListNode List(SequenceStart start, string path, int depth)
    {
        var items = new List<Node>();
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Node($"{path}[{items.Count}]", depth + 1));
        }

        return new ListNode(items, Line(start), Column(start));
    }

    private MapNode Map(MappingStart start, string path, int depth)
    {
        var entries = new List<(ScalarNode Key, Node Value)>();
        var seen = new Dictionary<string, int>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node(path, depth + 1);
            var value = Node(Mistakes.Join(path, (key as ScalarNode)?.Text ?? "?"), depth + 1);
            if (key is not ScalarNode { IsNull: false } scalar)
            {
                mistakes.Add(key.Line, key.Column, path, $"{key.Found} as a key", "a text as a key");
            }
            else if (!seen.TryAdd(scalar.Text, scalar.Line))
            {
                mistakes.Add(
                    scalar.Line, scalar.Column, Mistakes.Join(path, scalar.Text), "the key a second time",
                    $"each key once (the first is on line {seen[scalar.Text]})");
            }
            else
            {
                entries.Add((scalar, value));
            }
        }

        return new MapNode(entries, Line(start), Column(start));
    }

    private sealed class TooLarge : Exception;
}
