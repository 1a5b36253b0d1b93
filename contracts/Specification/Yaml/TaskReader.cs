using System.Globalization;
using System.Text;
using Monolith.Contracts.Events;

namespace Monolith.Contracts.Specification.Yaml;

/// <summary>Reads tasks and what actions say of them.</summary>
internal static class TaskReader
{
    private static readonly Scalar<double> AnyNumber = Scalars.Number(double.MinValue, double.MaxValue);
    private static readonly Scalar<double> WeightNumber = Scalars.Number(0, SpecLimits.Weight, above: true);

    private static readonly Scalar<double> WeightOrValue = new(
        $"{WeightNumber.Allowed}, or the word value (the action's value)",
        text => text == "value" ? double.NaN : WeightNumber.Read(text));

    private static readonly string KindAllowed = $"a kind of action, of at most {EventLimits.MaxIdBytes} bytes";

    /// <summary>Reads a task.</summary>
    public static TaskSpec Read(MapReader map)
    {
        // There is one loss so far; naming it keeps specifications readable when there are more.
        map.Value("loss", Scalars.OneOf(("cross_entropy", true)), true);
        var name = map.RequiredText("name", Scalars.NameAllowed, Scalars.IsName);
        var hasActions = map.Has("actions");
        var task = new TaskSpec
        {
            Name = name,
            Label = hasActions && !map.Has("label")
                ? name
                : map.RequiredText("label", "the column that holds the label, or the kind of action that makes a positive"),
            Actions = map.List("actions", false, "a list of what actions say, the most important first", Rule),
            KeepNegatives = map.Value("keep_negatives", Scalars.Number(SpecLimits.KeepNegativesMin, 1), 1),
            BaseRate = map.Value("base_rate", Scalars.Number(0, 1, above: true, below: true), 0.05),
            LossWeight = map.Value("loss_weight", WeightNumber, 1),
        };
        map.Done();
        return task;
    }

    private static ActionRule Rule(MapReader map)
    {
        var defaults = new ActionRule { Kind = "" };
        var weight = map.Value("weight", WeightOrValue, defaults.Weight);
        var rule = new ActionRule
        {
            Kind = map.RequiredText("kind", KindAllowed, text => Encoding.UTF8.GetByteCount(text) <= EventLimits.MaxIdBytes),
            IsPositive = map.Value("makes", Scalars.OneOf(("positive", true), ("negative", false)), true),
            AtLeast = map.Optional("at_least", AnyNumber),
            Below = map.Optional("below", AnyNumber),
            WeightIsValue = double.IsNaN(weight),
            Weight = double.IsNaN(weight) ? defaults.Weight : weight,
            MaxWeight = map.Value("max_weight", WeightNumber, defaults.MaxWeight),
        };
        map.Done();
        return rule;
    }
}

/// <summary>What must hold between the rules of tasks and the rest.</summary>
internal static class TaskRules
{
    /// <summary>Notes every mistake.</summary>
    public static void Check(ModelSpec spec, Mistakes mistakes)
    {
        for (var t = 0; t < spec.Tasks.Length; t++)
        {
            var rules = spec.Tasks[t].Actions;
            var path = $"tasks[{t}].actions";
            if (rules.Length > SpecLimits.ActionRules)
            {
                Rules.Count(mistakes, path, rules.Length, SpecLimits.ActionRules);
            }

            for (var r = 0; r < rules.Length; r++)
            {
                Check(rules, r, path, mistakes);
            }

            if (rules.Length > 0 && !rules.Any(r => r.IsPositive))
            {
                mistakes.AddUnlessKnown(path, "negatives only", "at least one action that makes a positive");
            }
        }

        Windows(spec, mistakes);
    }

    private static void Check(IReadOnlyList<ActionRule> rules, int index, string path, Mistakes mistakes)
    {
        var rule = rules[index];
        if (rule is { AtLeast: { } least, Below: { } below } && least >= below)
        {
            mistakes.AddUnlessKnown(
                $"{path}[{index}]", string.Create(CultureInfo.InvariantCulture, $"at_least {least} and below {below}"), "at_least smaller than below");
        }

        for (var earlier = 0; earlier < index; earlier++)
        {
            var (low, high) = (rules[earlier].AtLeast, rules[earlier].Below);
            if (rules[earlier].Kind == rule.Kind
                && (low is null || rule.AtLeast >= low) && (high is null || rule.Below <= high))
            {
                mistakes.AddUnlessKnown(
                    $"{path}[{index}]", $"'{rule.Kind}', of which {path}[{earlier}] takes every action that this could",
                    "rules that can be reached: the first that applies is taken");
                return;
            }
        }
    }

    private static void Windows(ModelSpec spec, Mistakes mistakes)
    {
        string[] kinds = [.. spec.Tasks.SelectMany(t => t.LabelRules()).Select(r => r.Kind).Where(k => k.Length > 0).Distinct()];
        if (kinds.Length > SpecLimits.ActionKinds)
        {
            mistakes.AddUnlessKnown("tasks", $"{kinds.Length} kinds of action", $"at most {SpecLimits.ActionKinds}");
        }

        foreach (var window in spec.Join.Windows)
        {
            if (!kinds.Contains(window.Kind))
            {
                mistakes.AddUnlessKnown(
                    $"join.windows.{window.Kind}", $"'{window.Kind}'{Suggestion.For(window.Kind, kinds)}, which says nothing of any task",
                    $"a kind of action of some task: {Rules.Words(kinds)}");
            }
        }
    }
}
