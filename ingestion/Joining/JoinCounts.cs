namespace Monolith.Ingestion.Joining;

/// <summary>What became of events, counted since the joiner started.</summary>
public sealed record JoinCounts
{
    /// <summary>Impressions taken.</summary>
    public long Impressions { get; set; }

    /// <summary>Items shown in them.</summary>
    public long Items { get; set; }

    /// <summary>Actions taken.</summary>
    public long Actions { get; set; }

    /// <summary>Positive examples emitted.</summary>
    public long Positives { get; set; }

    /// <summary>Negative examples emitted.</summary>
    public long Negatives { get; set; }

    /// <summary>Impressions and actions that had been there before.</summary>
    public long Duplicates { get; set; }

    /// <summary>Positive actions whose item was already emitted as a negative, or that came after their window; dropped.</summary>
    public long Late { get; set; }

    /// <summary>Actions whose impression never came, or did not show the item.</summary>
    public long Orphans { get; set; }

    /// <summary>Actions of a kind that is no task's label.</summary>
    public long Unlabelled { get; set; }

    /// <summary>Records that could not be used.</summary>
    public long DeadLetters { get; set; }

    /// <summary>Records found on a partition that their key does not belong to, and moved.</summary>
    public long Rerouted { get; set; }

    /// <summary>Freshness canaries.</summary>
    public long Canaries { get; set; }

    /// <summary>Adds another count.</summary>
    public void Add(JoinCounts other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Impressions += other.Impressions;
        Items += other.Items;
        Actions += other.Actions;
        Positives += other.Positives;
        Negatives += other.Negatives;
        Duplicates += other.Duplicates;
        Late += other.Late;
        Orphans += other.Orphans;
        Unlabelled += other.Unlabelled;
        DeadLetters += other.DeadLetters;
        Rerouted += other.Rerouted;
        Canaries += other.Canaries;
    }
}
