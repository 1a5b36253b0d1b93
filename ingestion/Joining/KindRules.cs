using System.Text;
using Monolith.Contracts.Specification;

namespace Monolith.Ingestion.Joining;

/// <summary>What one kind of action says, of all tasks.</summary>
/// <param name="Name">The kind, as UTF-8.</param>
/// <param name="WindowMs">How long after the impression it counts.</param>
/// <param name="Tasks">The tasks it says something of.</param>
internal sealed record KindRules(byte[] Name, long WindowMs, TaskRulesOfKind[] Tasks)
{
    /// <summary>All kinds of a model.</summary>
    public static KindRules[] Of(ModelSpec spec)
    {
        var kinds = spec.Tasks.SelectMany(t => t.LabelRules()).Select(r => r.Kind).Distinct();
        return [.. kinds.Select(kind => new KindRules(
            Encoding.UTF8.GetBytes(kind),
            (long)spec.Join.WindowOf(kind).TotalMilliseconds,
            [.. spec.Tasks.Select((task, t) => TaskRulesOfKind.Of(task, t, kind)).Where(t => t.Rules.Length > 0)]))];
    }

    /// <summary>Whether an action with this value says something of any task.</summary>
    public bool AnyApplies(double value)
    {
        foreach (var task in Tasks)
        {
            if (task.For(value) is not null)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>What a kind of action says of one task.</summary>
/// <param name="Task">The task's index.</param>
/// <param name="Rules">The task's rules for the kind, with their places in its list.</param>
internal sealed record TaskRulesOfKind(int Task, (byte Priority, ActionRule Rule)[] Rules)
{
    public static TaskRulesOfKind Of(TaskSpec task, int index, string kind)
        => new(index, [.. task.LabelRules().Select((rule, place) => ((byte)place, rule)).Where(r => r.rule.Kind == kind)]);

    /// <summary>The first rule that applies to a value; its place in the list is its priority, 0 the highest.</summary>
    public (byte Priority, ActionRule Rule)? For(double value)
    {
        foreach (var rule in Rules)
        {
            if (rule.Rule.Applies(value))
            {
                return rule;
            }
        }

        return null;
    }
}
