using System.Text;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>A label that was said of a task of an item of a request.</summary>
internal readonly record struct SaidLabel(int Request, string Item, int Task, float Value, float KeepRate, float Weight);

/// <summary>
/// The rules for labels as they are written in the documentation, over plain lists and with no care for speed. Only how time
/// is cut into buckets is taken from the joiner.
/// </summary>
internal sealed class LabelOracle(ModelSpec spec, long bucketMs)
{
    private readonly List<Shown> _shown = [];
    private readonly List<Done> _waiting = [];
    private long _nowMs;

    public JoinCounts Counts { get; } = new();

    public int Waiting => _waiting.Count;

    /// <summary>What was said since this was last emptied.</summary>
    public List<SaidLabel> Said { get; } = [];

    private long LongestMs => spec.Tasks.Max(CloseMs);

    public void Show(int request, long timeMs, string[] items)
    {
        if (_shown.Exists(s => s.Request == request))
        {
            Counts.Impressions++;
            Counts.Duplicates++;
            return;
        }

        if (_nowMs - LongestMs >= EndOf(timeMs + LongestMs))
        {
            Counts.DeadLetters++;
            return;
        }

        Counts.Impressions++;
        Counts.Requests++;
        Counts.Items += items.Length;
        var shown = new Shown(request, timeMs, [.. items.Distinct()]);
        _shown.Add(shown);
        foreach (var action in _waiting.Where(w => w.Request == request).ToArray())
        {
            _waiting.Remove(action);
            Take(shown, action);
        }

        Close(shown);
    }

    public void Act(Done action)
    {
        Counts.Actions++;
        if (!spec.Tasks.Any(t => RuleFor(t, action) is not null))
        {
            Counts.Unlabelled++;
        }
        else if (_shown.Find(s => s.Request == action.Request) is { } shown)
        {
            Take(shown, action);
        }
        else
        {
            _waiting.Add(action);
        }
    }

    public void Advance(long nowMs)
    {
        if (nowMs <= _nowMs)
        {
            return;
        }

        _nowMs = nowMs;
        _shown.ForEach(Close);
        _shown.RemoveAll(s => _nowMs - LongestMs >= EndOf(s.TimeMs + LongestMs));
        Counts.Orphans += _waiting.RemoveAll(w => _nowMs >= EndOf(w.TimeMs + (long)spec.Join.WindowOf(w.Kind).TotalMilliseconds));
    }

    /// <summary>The first rule of a task for an action.</summary>
    private static int? RuleFor(TaskSpec task, Done action)
    {
        var rules = task.LabelRules();
        for (var r = 0; r < rules.Length; r++)
        {
            var (least, below) = (rules[r].AtLeast ?? double.NegativeInfinity, rules[r].Below ?? double.PositiveInfinity);
            if (rules[r].Kind == action.Kind && action.Value >= least && action.Value < below)
            {
                return r;
            }
        }

        return null;
    }

    private long CloseMs(TaskSpec task) => task.LabelRules().Max(r => (long)spec.Join.WindowOf(r.Kind).TotalMilliseconds);

    /// <summary>The end of the bucket that a time lies in.</summary>
    private long EndOf(long ms) => (long)Math.Ceiling(ms / (double)bucketMs) * bucketMs;

    private void Take(Shown shown, Done action)
    {
        if (shown.Closed.Count < spec.Tasks.Length && !shown.Items.Contains(action.Item))
        {
            Counts.Orphans++;
            return;
        }

        var inTime = action.TimeMs <= shown.TimeMs + (long)spec.Join.WindowOf(action.Kind).TotalMilliseconds;
        var outcomes = new List<string>();
        for (var t = 0; t < spec.Tasks.Length; t++)
        {
            if (RuleFor(spec.Tasks[t], action) is { } rule)
            {
                outcomes.Add(Take(shown, action, t, rule, inTime));
            }
        }

        Counts.PartlyLate += outcomes.Contains("matched") && outcomes.Contains("late") ? 1 : 0;
        _ = outcomes.Contains("matched") ? Counts.Matched++
            : outcomes.Contains("outranked") ? Counts.Outranked++
            : outcomes.Contains("late") ? Counts.Late++
            : Counts.Duplicates++;
    }

    private string Take(Shown shown, Done action, int task, int rule, bool inTime)
    {
        var had = shown.Labels.TryGetValue((action.Item, task), out var before);
        if (!inTime || shown.Closed.Contains(task))
        {
            return inTime && had && before.Rule == rule ? "duplicate" : "late";
        }

        if (had && before.Rule == rule)
        {
            return "duplicate";
        }

        var said = spec.Tasks[task].LabelRules()[rule];
        if (had && (before.Positive || before.Rule < rule))
        {
            return "outranked";
        }

        var weight = (float)(said.WeightIsValue ? action.Value > 0 ? Math.Min(action.Value, said.MaxWeight) : 1 : said.Weight);
        shown.Labels[(action.Item, task)] = (rule, said.IsPositive, weight);
        if (said.IsPositive)
        {
            Counts.Positives++;
            Said.Add(new SaidLabel(shown.Request, action.Item, task, 1, (float)spec.Tasks[task].KeepNegatives, weight));
        }

        return "matched";
    }

    private void Close(Shown shown)
    {
        for (var t = 0; t < spec.Tasks.Length; t++)
        {
            if (_nowMs < EndOf(shown.TimeMs + CloseMs(spec.Tasks[t])) || !shown.Closed.Add(t))
            {
                continue;
            }

            var sampling = new NegativeSampling(spec, spec.Tasks[t]);
            foreach (var item in shown.Items)
            {
                var had = shown.Labels.TryGetValue((item, t), out var label);
                if (had && label.Positive)
                {
                    continue;
                }

                if (!had && !sampling.Keeps(Encoding.UTF8.GetBytes($"r{shown.Request}"), Encoding.UTF8.GetBytes(item)))
                {
                    Counts.SampledAway++;
                    continue;
                }

                Counts.Negatives++;
                Said.Add(new SaidLabel(shown.Request, item, t, 0, sampling.KeepRate, had ? label.Weight * sampling.KeepRate : 1));
            }
        }
    }

    /// <summary>An action.</summary>
    internal sealed record Done(int Request, string Item, string Kind, double Value, long TimeMs);

    private sealed record Shown(int Request, long TimeMs, string[] Items)
    {
        public HashSet<int> Closed { get; } = [];

        public Dictionary<(string Item, int Task), (int Rule, bool Positive, float Weight)> Labels { get; } = [];
    }
}
