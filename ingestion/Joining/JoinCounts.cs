namespace Monolith.Ingestion.Joining;

/// <summary>
/// What became of events, counted since the joiner started. Every record that was read is an impression, an action, a canary,
/// a dead letter or rerouted; every impression and action has one outcome: <see cref="Requests"/>, <see cref="Empty"/>,
/// <see cref="Matched"/>, <see cref="Duplicates"/>, <see cref="Late"/>, <see cref="Outranked"/>, <see cref="Orphans"/> or
/// <see cref="Unlabelled"/>, or it is an action that still waits.
/// </summary>
public sealed record JoinCounts
{
    /// <summary>Impressions taken.</summary>
    public long Impressions { get; set; }

    /// <summary>Items shown in them.</summary>
    public long Items { get; set; }

    /// <summary>Actions taken.</summary>
    public long Actions { get; set; }

    /// <summary>Impressions whose items wait for actions, or whose window was over when they came.</summary>
    public long Requests { get; set; }

    /// <summary>Impressions that are of no request that could be joined: without items, or a canary's.</summary>
    public long Empty { get; set; }

    /// <summary>Examples emitted.</summary>
    public long Examples { get; set; }

    /// <summary>Labels said as positive.</summary>
    public long Positives { get; set; }

    /// <summary>Labels said as negative: by an action, or because no action came and sampling kept them.</summary>
    public long Negatives { get; set; }

    /// <summary>Negatives that sampling did not keep.</summary>
    public long SampledAway { get; set; }

    /// <summary>Actions that said a task's label, or will when its window closes.</summary>
    public long Matched { get; set; }

    /// <summary>Of these, the ones that came too late for another task.</summary>
    public long PartlyLate { get; set; }

    /// <summary>Impressions and actions that had been there before.</summary>
    public long Duplicates { get; set; }

    /// <summary>Actions after their window, or after the label was said as a negative; dropped.</summary>
    public long Late { get; set; }

    /// <summary>Actions whose tasks had a label by another action already, or one of higher priority; dropped.</summary>
    public long Outranked { get; set; }

    /// <summary>Actions whose impression never came, or did not show the item.</summary>
    public long Orphans { get; set; }

    /// <summary>Actions of which no task's rules say anything.</summary>
    public long Unlabelled { get; set; }

    /// <summary>Records that could not be used.</summary>
    public long DeadLetters { get; set; }

    /// <summary>Records found on a partition that their key does not belong to, and moved.</summary>
    public long Rerouted { get; set; }

    /// <summary>Freshness canaries.</summary>
    public long Canaries { get; set; }

    /// <summary>What became of events, by the names under which metrics and status say it.</summary>
    public IEnumerable<KeyValuePair<string, long>> Outcomes()
    {
        yield return new("impression", Impressions);
        yield return new("action", Actions);
        yield return new("canary", Canaries);
        yield return new("request", Requests);
        yield return new("empty", Empty);
        yield return new("matched", Matched);
        yield return new("partly_late", PartlyLate);
        yield return new("duplicate", Duplicates);
        yield return new("late", Late);
        yield return new("outranked", Outranked);
        yield return new("orphan", Orphans);
        yield return new("unlabelled", Unlabelled);
        yield return new("dead_letter", DeadLetters);
        yield return new("rerouted", Rerouted);
    }

    /// <summary>Labels that were said or not kept, by name.</summary>
    public IEnumerable<KeyValuePair<string, long>> Labels()
    {
        yield return new("positive", Positives);
        yield return new("negative", Negatives);
        yield return new("sampled_away", SampledAway);
    }

    /// <summary>Adds another count.</summary>
    public void Add(JoinCounts other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Impressions += other.Impressions;
        Items += other.Items;
        Actions += other.Actions;
        Requests += other.Requests;
        Empty += other.Empty;
        Examples += other.Examples;
        Positives += other.Positives;
        Negatives += other.Negatives;
        SampledAway += other.SampledAway;
        Matched += other.Matched;
        PartlyLate += other.PartlyLate;
        Duplicates += other.Duplicates;
        Late += other.Late;
        Outranked += other.Outranked;
        Orphans += other.Orphans;
        Unlabelled += other.Unlabelled;
        DeadLetters += other.DeadLetters;
        Rerouted += other.Rerouted;
        Canaries += other.Canaries;
    }
}
