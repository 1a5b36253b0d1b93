using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Monolith.Standalone.CommandLine;

/// <summary>The library's help, followed by the command's examples.</summary>
/// <param name="help">The library's help.</param>
/// <param name="rootExamples">Examples of the root command.</param>
internal sealed class TeachingHelp(HelpAction help, IReadOnlyList<Example> rootExamples) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    /// <summary>Replaces the help of a root command.</summary>
    public static void Install(RootCommand root, params Example[] examples)
    {
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Action = new TeachingHelp((HelpAction)option.Action!, examples);
        }
    }

    public override int Invoke(ParseResult parseResult)
    {
        help.MaxWidth = 110;
        var exitCode = help.Invoke(parseResult);
        var examples = parseResult.CommandResult.Command switch
        {
            DocumentedCommand documented => documented.Examples,
            RootCommand => rootExamples,
            _ => [],
        };
        if (examples.Count > 0)
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var example in examples)
            {
                output.WriteLine($"  # {example.Purpose}");
                output.WriteLine($"  monolith {example.Arguments}");
            }
        }

        return exitCode;
    }
}
