using System.Collections.Immutable;

namespace Monolith.Contracts.Specification;

/// <summary>Something to predict.</summary>
public sealed record TaskSpec
{
    /// <summary>The task's name, in answers and metrics.</summary>
    public required string Name { get; init; }

    /// <summary>In files, the column that holds the label; in events, unless <see cref="Actions"/> say more, the kind of action that makes an example positive.</summary>
    public required string Label { get; init; }

    /// <summary>What actions say of this task, the most important first; empty: <see cref="Label"/> is the one that makes a positive.</summary>
    public ImmutableArray<ActionRule> Actions { get; init; } = [];

    /// <summary>The share of negatives to keep, above 0 and at most 1; of those that no action asked for.</summary>
    public double KeepNegatives { get; init; } = 1;

    /// <summary>The expected share of positives: where the output bias starts. Between 0 and 1, exclusive.</summary>
    public double BaseRate { get; init; } = 0.05;

    /// <summary>Weight of the task's loss in the sum.</summary>
    public double LossWeight { get; init; } = 1;

    /// <summary>What actions say of this task, spelled out.</summary>
    public ImmutableArray<ActionRule> LabelRules() => Actions.IsDefaultOrEmpty ? [new ActionRule { Kind = Label }] : Actions;
}

/// <summary>What an action says of a task.</summary>
public sealed record ActionRule
{
    /// <summary>The kind of action.</summary>
    public required string Kind { get; init; }

    /// <summary>Whether it makes a positive; otherwise it makes a negative that is never sampled away.</summary>
    public bool IsPositive { get; init; } = true;

    /// <summary>The least value of the action to which this applies; null: any.</summary>
    public double? AtLeast { get; init; }

    /// <summary>Only values below this; null: any.</summary>
    public double? Below { get; init; }

    /// <summary>The example's weight in the task's loss, unless it is the action's value.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Whether the weight is the action's value, at most <see cref="MaxWeight"/>; a value that is not above 0 weighs 1.</summary>
    public bool WeightIsValue { get; init; }

    /// <summary>The most that a value weighs.</summary>
    public double MaxWeight { get; init; } = 100;

    /// <summary>Whether this applies to an action of its kind with this value.</summary>
    public bool Applies(double value) => (AtLeast is not { } least || value >= least) && (Below is not { } below || value < below);

    /// <summary>The weight of an action with this value.</summary>
    public double WeightOf(double value) => !WeightIsValue ? Weight : value > 0 && double.IsFinite(value) ? Math.Min(value, MaxWeight) : 1;
}
