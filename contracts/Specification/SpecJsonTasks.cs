using System.Text.Json.Nodes;
using Monolith.Contracts.Specification.Yaml;

namespace Monolith.Contracts.Specification;

/// <summary>The resolved form of tasks and of how they get their labels.</summary>
internal static class SpecJsonTasks
{
    /// <summary>Writes a task.</summary>
    public static JsonObject Of(TaskSpec task)
    {
        var json = new JsonObject
        {
            ["name"] = task.Name,
            ["label"] = task.Label,
            ["actions"] = SpecJson.List(task.LabelRules(), Rule),
            ["keep_negatives"] = task.KeepNegatives,
            ["loss"] = "cross_entropy",
            ["base_rate"] = task.BaseRate,
            ["loss_weight"] = task.LossWeight,
        };
        return json;
    }

    /// <summary>Writes how impressions and actions are joined.</summary>
    public static JsonObject Join(JoinSpec join)
    {
        var json = new JsonObject
        {
            ["window"] = Scalars.Text(join.Window),
            ["allowed_skew"] = Scalars.Text(join.AllowedSkew),
        };
        if (join.Windows.Length > 0)
        {
            json["windows"] = new JsonObject(
                join.Windows.Select(w => KeyValuePair.Create<string, JsonNode?>(w.Kind, Scalars.Text(w.Window))));
        }

        return json;
    }

    private static JsonObject Rule(ActionRule rule) => SpecJson.Optional(
        new JsonObject
        {
            ["kind"] = rule.Kind,
            ["makes"] = rule.IsPositive ? "positive" : "negative",
            ["weight"] = rule.WeightIsValue ? "value" : rule.Weight,
        },
        ("max_weight", rule.WeightIsValue ? rule.MaxWeight : null),
        ("at_least", rule.AtLeast),
        ("below", rule.Below));
}
