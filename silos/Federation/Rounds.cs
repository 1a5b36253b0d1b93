using Microsoft.Extensions.Logging;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Federation;

/// <summary>
/// The meeting of workers: who takes part, who has reported, and when a round closes. Reports wait here without holding
/// anything up; nothing in here awaits, so that the grain's one-at-a-time turns are its lock.
/// </summary>
/// <param name="model">The dense parameters.</param>
/// <param name="part">For the log.</param>
/// <param name="logger">Log.</param>
internal sealed partial class Rounds(DenseModel model, PartIdentity part, ILogger logger)
{
    /// <summary>Workers at once; each holds a call.</summary>
    public const int WorkersMax = 1024;

    /// <summary>Rounds a live worker may miss one after another before rounds stop waiting for it.</summary>
    public const int MissesMax = 20;

    private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);
    private readonly List<Waiting> _waiting = [];
    private long _slowestThrough = long.MaxValue;

    /// <summary>Workers that joined and did not leave, by name.</summary>
    public string[] Workers => [.. _members.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Whether a round is open: somebody has reported and waits.</summary>
    public bool Open => _waiting.Count > 0;

    /// <summary>Whether the open round closes by the clock.</summary>
    public bool ByDeadline => _members.Values.Any(m => m.Mode == RoundMode.Deadline);

    /// <summary>A worker comes in; a round that is open already does not wait for it.</summary>
    public DenseState Join(string worker, RoundMode mode)
    {
        ArgumentException.ThrowIfNullOrEmpty(worker);
        if (!_members.ContainsKey(worker) && _members.Count >= WorkersMax)
        {
            throw new InvalidOperationException($"Worker '{worker}' would be one more than the {WorkersMax} that can meet.");
        }

        // Its report, if one still waits, belongs to a life before this one.
        Withdraw(w => w.Report.Worker == worker, PushOutcome.Gap);
        _members[worker] = new Member(mode, model.Round + (Open ? 1 : 0));
        return StateNow(model.OptimizerStart(worker));
    }

    /// <summary>A worker goes.</summary>
    public void Leave(string worker)
    {
        _members.Remove(worker);
        Withdraw(w => w.Report.Worker == worker, PushOutcome.Gap);
        CloseIfComplete();
    }

    /// <summary>A report comes in; the answer comes when the round closes.</summary>
    /// <exception cref="ArgumentException">It cannot be right.</exception>
    public Task<RoundReply> Report(RoundReport report)
    {
        var outcome = model.Check(report);
        if (outcome != PushOutcome.Applied)
        {
            return Task.FromResult(Reply(outcome));
        }

        if (!_members.ContainsKey(report.Worker))
        {
            // The part was restored meanwhile, or the worker was given up for a while.
            var mode = _members.Count > 0 && !ByDeadline ? RoundMode.Lockstep : RoundMode.Deadline;
            _members.Add(report.Worker, new Member(mode, model.Round));
        }

        // A call that timed out on the worker's side and is made again takes the first one's place.
        Withdraw(w => w.Report.Worker == report.Worker, PushOutcome.Gap);
        var waiting = new Waiting(report);
        _waiting.Add(waiting);
        CloseIfComplete();
        return waiting.Answer.Task;
    }

    /// <summary>A partition has a new owner: what its former owners reported and is not yet in a round is not theirs to add.</summary>
    public void Fence(string partition, long epoch)
    {
        Withdraw(w => w.Report.Spans.Any(s => s.Partition == partition && s.Epoch < epoch), PushOutcome.Fenced);
        CloseIfComplete();
    }

    /// <summary>Closes the open round with whoever has reported.</summary>
    /// <returns>Reports in it.</returns>
    public int Close()
    {
        if (!Open)
        {
            return 0;
        }

        // In the order of names: with floats the order of a sum is part of its result.
        _waiting.Sort((a, b) => string.CompareOrdinal(a.Report.Worker, b.Report.Worker));
        var closed = _waiting.ToArray();
        _waiting.Clear();
        try
        {
            var outcomes = Array.ConvertAll(closed, w => model.Add(w.Report));
            CountMisses(closed);
            model.CloseRound();
            _slowestThrough = closed.Where(w => w.Report.Spans.Length > 0)
                .Select(w => w.Report.Spans.Max(s => s.Through)).DefaultIfEmpty(_slowestThrough).Min();
            for (var i = 0; i < closed.Length; i++)
            {
                closed[i].Answer.SetResult(Reply(outcomes[i]));
            }
        }
        catch (Exception e)
        {
            // They wait here no longer: nobody else would answer them.
            Array.ForEach(closed, w => w.Answer.TrySetException(new InvalidOperationException("The round could not be closed.", e)));
            throw;
        }

        LastReports = closed.Length;
        return closed.Length;
    }

    /// <summary>Reports in the newest round.</summary>
    public int LastReports { get; private set; }

    /// <summary>Gives up whoever has not reported to the open round, and closes it.</summary>
    public int CloseWithoutTheMissing()
    {
        foreach (var worker in Missing().ToList())
        {
            _members.Remove(worker);
            LogGivenUp(part, worker);
        }

        return Close();
    }

    /// <summary>The part stops: whoever waits is told that its report was not applied.</summary>
    public void Stop() => Withdraw(_ => true, PushOutcome.Gap);

    private void CloseIfComplete()
    {
        if (Open && !Missing().Any())
        {
            Close();
        }
    }

    private IEnumerable<string> Missing() =>
        _members.Where(m => m.Value.FirstRound <= model.Round && !_waiting.Exists(w => w.Report.Worker == m.Key)).Select(m => m.Key);

    private void CountMisses(Waiting[] closed)
    {
        foreach (var (worker, member) in _members.ToList())
        {
            if (Array.Exists(closed, w => w.Report.Worker == worker))
            {
                member.Misses = 0;
            }
            else if (member.FirstRound <= model.Round && ++member.Misses >= MissesMax)
            {
                _members.Remove(worker);
                LogGivenUp(part, worker);
            }
        }
    }

    private void Withdraw(Predicate<Waiting> which, PushOutcome outcome)
    {
        foreach (var waiting in _waiting.FindAll(which))
        {
            _waiting.Remove(waiting);
            waiting.Answer.SetResult(Reply(outcome));
        }
    }

    private RoundReply Reply(PushOutcome outcome) => new(outcome, StateNow([]), _slowestThrough);

    // Blocks of its own for everyone: whoever receives a state disposes it.
    private DenseState StateNow(ReadOnlySpan<float> optimizer) =>
        new(model.Round, Block.Of(model.Parameters), Block.Of(model.Momentum), Block.Of(optimizer));

    private sealed class Member(RoundMode mode, long firstRound)
    {
        public RoundMode Mode { get; } = mode;

        public long FirstRound { get; } = firstRound;

        public int Misses { get; set; }
    }

    private sealed class Waiting(RoundReport report)
    {
        public RoundReport Report { get; } = report;

        // Continuations run on their own: answering must not run a worker's code in the middle of a round.
        public TaskCompletionSource<RoundReply> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(LogLevel.Warning, "Rounds of {Part} no longer wait for worker '{Worker}'; its next report brings it back")]
    private partial void LogGivenUp(PartIdentity part, string worker);
}
