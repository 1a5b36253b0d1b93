namespace Monolith.Ingestion.Joining;

/// <summary>What actions have said so far of one task of one shown item.</summary>
/// <param name="Priority">Place of the rule in the task's list; 0 is the highest.</param>
/// <param name="IsPositive">Whether it was said as a positive; otherwise it will be said as a negative when the task closes.</param>
/// <param name="Weight">The negative's weight.</param>
internal readonly record struct LabelState(byte Priority, bool IsPositive, float Weight);

/// <summary>A positive that is said now.</summary>
/// <param name="Item">Index of the item in the list.</param>
/// <param name="Task">The task.</param>
/// <param name="Weight">Its weight.</param>
internal readonly record struct NewPositive(int Item, int Task, float Weight);
