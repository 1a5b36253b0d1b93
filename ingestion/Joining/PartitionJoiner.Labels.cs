using Monolith.Ingestion.Wire;

namespace Monolith.Ingestion.Joining;

/// <summary>How actions become labels, and when labels are said.</summary>
internal sealed partial class PartitionJoiner
{
    /// <summary>What became of an action, the better ones first: what it is for its best task is what it is counted as.</summary>
    private enum Outcome
    {
        Matched,
        Outranked,
        Late,
        Duplicate,
    }

    /// <summary>
    /// Takes a request up. Stages whose windows had closed when it came are closed at once, with the actions that waited for
    /// it; the others stay open.
    /// </summary>
    private void Open(int slot, List<WaitingAction>? waiting, JoinOutput output)
    {
        var eventTimeMs = _requests[slot].EventTimeMs;
        var late = 0;
        while (late < rules.Stages && rules.CloseBucket(eventTimeMs, late) <= Floor(WatermarkMs))
        {
            late++;
        }

        var positives = waiting is null ? null : Label(slot, waiting, output);
        ref var request = ref _requests[slot];
        Emit(request, 0, late, positives, output);
        request.ClosedStages = (byte)late;
        Next(slot);
    }

    /// <summary>Matches actions with the items of a request; the new positives are one group.</summary>
    private void Match(int slot, List<WaitingAction> actions, JoinOutput output)
    {
        var positives = Label(slot, actions, output);
        Emit(_requests[slot], 0, 0, positives, output);
    }

    /// <summary>Says what is left of the tasks whose window has closed: every label that was not positive is negative.</summary>
    private void CloseStage(int slot, JoinOutput output)
    {
        ref var request = ref _requests[slot];
        Emit(request, request.ClosedStages, request.ClosedStages + 1, null, output);
        request.ClosedStages++;
        Next(slot);
    }

    /// <summary>Puts a request where its next stage will be found, or, after the last one, where it will be forgotten.</summary>
    private void Next(int slot)
    {
        ref var request = ref _requests[slot];
        if (request.ClosedStages < rules.Stages)
        {
            _open[rules.CloseBucket(request.EventTimeMs, request.ClosedStages)].Add(slot);
            return;
        }

        PendingItems -= request.Items;
        request.Impression = default;
        _closed[rules.LastBucket(request.EventTimeMs)].Add(slot);
    }

    /// <summary>Notes what actions say of a request's items, and counts each once; the positives to say now, or null.</summary>
    private List<NewPositive>? Label(int slot, List<WaitingAction> actions, JoinOutput output)
    {
        ref var request = ref _requests[slot];
        List<NewPositive>? positives = null;
        foreach (var waiting in actions)
        {
            ActionWire.Read(waiting.Bytes.Span, out var action);

            // What a closed request showed is not known any more.
            var known = request.Impression.Length > 0;
            var item = known ? Find(BytesOf(request), action.ItemId) : -1;
            if (item < 0 && known)
            {
                Orphan(waiting, "Its impression did not show the item.", output);
                continue;
            }

            var kind = rules.KindOf(action.Kind)!;
            var inTime = waiting.EventTimeMs <= request.EventTimeMs + kind.WindowMs;
            Count(Label(ref request, item, kind, action, inTime, ref positives, output.Counts), output.Counts);
        }

        return positives;
    }

    private Outcome Label(
        ref PendingRequest request,
        int item,
        KindRules kind,
        in ActionWire action,
        bool inTime,
        ref List<NewPositive>? positives,
        JoinCounts counts)
    {
        var best = Outcome.Duplicate;
        var anyLate = false;
        foreach (var task in kind.Tasks)
        {
            if (task.For(action.Value) is not { } found)
            {
                continue;
            }

            var (priority, rule) = found;
            var state = new LabelState(priority, rule.IsPositive, (float)rule.WeightOf(action.Value));
            var open = inTime && request.ClosedStages <= rules.StageOf[task.Task];
            var outcome = Outcome.Late;
            if (open)
            {
                request.HasLabels = true;
                outcome = Say(_labels[rules.LastBucket(request.EventTimeMs)], LabelKey(request.Key, action.ItemId, task.Task), state);
            }
            else if (inTime && WasSaidBy(request, LabelKey(request.Key, action.ItemId, task.Task), priority))
            {
                outcome = Outcome.Duplicate;
            }

            if (outcome == Outcome.Matched && rule.IsPositive)
            {
                (positives ??= []).Add(new NewPositive(item, task.Task, state.Weight));
            }

            anyLate |= outcome == Outcome.Late;
            best = outcome < best ? outcome : best;
        }

        counts.PartlyLate += best == Outcome.Matched && anyLate ? 1 : 0;
        return best;
    }

    /// <summary>
    /// Puts what an action says beside what others said: a positive is said at once and stands; a negative waits for the close
    /// and gives way to an action of higher priority.
    /// </summary>
    private static Outcome Say(Dictionary<ulong, LabelState> labels, ulong key, LabelState state)
    {
        if (labels.TryGetValue(key, out var said))
        {
            if (said.Priority == state.Priority)
            {
                return Outcome.Duplicate;
            }

            if (said.IsPositive || said.Priority < state.Priority)
            {
                return Outcome.Outranked;
            }
        }

        labels[key] = state;
        return Outcome.Matched;
    }

    private bool WasSaidBy(in PendingRequest request, ulong key, byte priority)
        => request.HasLabels
            && _labels.TryGet(rules.LastBucket(request.EventTimeMs), out var labels)
            && labels.TryGetValue(key, out var said)
            && said.Priority == priority;

    private static void Count(Outcome outcome, JoinCounts counts) => _ = outcome switch
    {
        Outcome.Matched => counts.Matched++,
        Outcome.Outranked => counts.Outranked++,
        Outcome.Late => counts.Late++,
        _ => counts.Duplicates++,
    };
}
