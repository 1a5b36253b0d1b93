using System.CommandLine;
using Monolith.Contracts.Specification;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Specs;

/// <summary><c>monolith spec</c>: check a specification, or draft one from a file.</summary>
internal static class SpecCommand
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create() =>
        new("spec", "Check a model specification, or draft a first one from a data file.") { Validate(), Init() };

    private static DocumentedCommand Validate()
    {
        var file = new Argument<string>("FILE") { Description = "The specification (YAML)." };
        var command = new DocumentedCommand(
            "validate", "Check a specification. All mistakes are listed at once, each with its place and what is allowed.",
            new Example("check before use", "spec validate models/trivago.yaml"))
        {
            file,
        };
        command.SetAction(parsed =>
        {
            var spec = ModelSpecFile.Load(parsed.GetRequiredValue(file));
            parsed.InvocationConfiguration.Output.WriteLine(
                $"{parsed.GetRequiredValue(file)} is valid: model '{spec.Name}', {spec.Features.Length} features, "
                + $"{spec.Tables.Length} table{(spec.Tables.Length == 1 ? "" : "s")}, {spec.Shards} shards");
        });
        return command;
    }

    private static DocumentedCommand Init()
    {
        var data = new Option<string>("--data")
        {
            Description = "A CSV file (also .gz) with a header line.",
            Required = true,
        };
        var output = new Option<string?>("--output") { Description = "Where to write it; without, it is printed." };
        var command = new DocumentedCommand(
            "init", "Draft a specification from a file's columns, with comments, ready to edit.",
            new Example("draft one beside the data", "spec init --data clicks.csv.gz --output clicks.yaml"))
        {
            data,
            output,
        };
        command.SetAction(parsed =>
        {
            var profile = FileProfile.Of(parsed.GetRequiredValue(data));
            var yaml = SpecDraft.Of(profile);
            if (parsed.GetValue(output) is not { } path)
            {
                parsed.InvocationConfiguration.Output.Write(yaml);
                return;
            }

            if (File.Exists(path))
            {
                throw new UsageException($"{path} exists; name another file or delete it first");
            }

            AtomicFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(yaml)));
            parsed.InvocationConfiguration.Output.WriteLine(
                $"{path} written; read it, then: monolith replay --model {path} --data {parsed.GetRequiredValue(data)}");
            foreach (var column in profile.Leaks.Keys)
            {
                parsed.InvocationConfiguration.Output.WriteLine(
                    $"'{YamlText.Comment(column.Name)}': {profile.WhyNot(column) ?? profile.Suspicion(column)}");
            }
        });
        return command;
    }
}
