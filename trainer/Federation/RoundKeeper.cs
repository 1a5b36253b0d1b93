using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Parts;
using Monolith.Trainer.Telemetry;

namespace Monolith.Trainer.Federation;

/// <summary>
/// When a worker meets the others: after K local steps, live also when the round's deadline has passed since its first step.
/// Over history it waits for the round; live it goes on learning meanwhile. Used by its worker alone.
/// </summary>
/// <param name="worker">The worker's name.</param>
/// <param name="owned">The worker's partitions.</param>
/// <param name="spec">The model.</param>
/// <param name="parts">Its parts.</param>
/// <param name="steps">The local steps.</param>
/// <param name="isHistory">Whether the source ends.</param>
/// <param name="aheadMax">Over history: offsets that a worker may be ahead of the slowest.</param>
/// <param name="time">Clock.</param>
/// <param name="metrics">Figures.</param>
internal sealed class RoundKeeper(
    string worker, IReadOnlyList<OwnedPartition> owned, ModelSpec spec, ModelParts parts, LocalSteps steps, bool isHistory,
    long aheadMax, TimeProvider time, TrainerMetrics metrics)
{
    private Task<RoundReply>? _underWay;
    private RoundReport? _report;
    private long _reportedAt;
    private long _stateAt;
    private long _firstStepAt;
    private bool _hasSteps;
    private long _slowestThrough;

    /// <summary>Time until a report is due by the clock; infinite when none will be.</summary>
    public TimeSpan DueIn
    {
        get
        {
            if (isHistory || !_hasSteps || _underWay is not null)
            {
                return Timeout.InfiniteTimeSpan;
            }

            var left = spec.Federated.RoundDeadline - time.GetElapsedTime(_firstStepAt);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Completes when a report that is under way has its round; at once when none is.</summary>
    public Task UnderWay => _underWay ?? Task.CompletedTask;

    /// <summary>Joins, or comes back after a loss; steps that are in no round are dropped.</summary>
    /// <returns>False if the local optimizer starts from scratch because the kept state is of another one.</returns>
    public async Task<bool> Join()
    {
        Forget();
        var state = await parts.Federation.Join(worker, isHistory ? RoundMode.Lockstep : RoundMode.Deadline);
        _stateAt = time.GetTimestamp();
        _hasSteps = false;
        _slowestThrough = long.MaxValue; // unknown before the first round
        return steps.Begin(state);
    }

    /// <summary>A live worker that has not met the others for a while takes the newest round before it scores and steps again.</summary>
    public async Task Refresh()
    {
        if (!isHistory && steps.Steps == 0 && _underWay is null && time.GetElapsedTime(_stateAt) > 2 * spec.Federated.RoundDeadline)
        {
            steps.Refresh(await parts.Federation.Join(worker, RoundMode.Deadline));
            _stateAt = time.GetTimestamp();
        }
    }

    /// <summary>After a micro-batch, or after a while: takes a round that has come back, and reports if it is time.</summary>
    /// <exception cref="PartLostException">The dense parameters are not where the worker left them.</exception>
    public async Task Tend()
    {
        if (_underWay is { IsCompleted: true })
        {
            await Take();
        }

        if (!_hasSteps && steps.Steps > 0)
        {
            (_hasSteps, _firstStepAt) = (true, time.GetTimestamp());
        }

        if (_underWay is null && (steps.Steps >= spec.Federated.LocalSteps || DueIn == TimeSpan.Zero))
        {
            Report();
            if (isHistory)
            {
                await Take();
            }
        }
    }

    /// <summary>
    /// Over history, waits while this worker is too far ahead of the slowest: it takes part in rounds without steps of its
    /// own until the others have come near. The slowest itself never waits, so some worker always goes on.
    /// </summary>
    /// <returns>Whether it waited.</returns>
    /// <exception cref="PartLostException">The dense parameters are not where the worker left them.</exception>
    public async Task<bool> KeepAbreast()
    {
        var waited = false;
        while (isHistory && owned.Max(p => p.DenseThrough) - _slowestThrough > aheadMax)
        {
            Report();
            await Take();
            waited = true;
        }

        return waited;
    }

    /// <summary>Tells the dense part how far idle partitions are, unless a report is on its way or soon will be.</summary>
    public void Heartbeat()
    {
        if (_underWay is null && steps.Steps == 0)
        {
            Report();
        }
    }

    /// <summary>Brings everything that was learned into rounds.</summary>
    public async Task Finish()
    {
        if (_underWay is not null)
        {
            await Take();
        }

        if (steps.Steps > 0 || owned.Any(p => p.DenseThrough > p.Applied[parts.FederationIndex]))
        {
            Report();
            await Take();
        }
    }

    /// <summary>Lets go of a report whose answer no longer matters.</summary>
    public void Forget()
    {
        // Nobody awaits it any more, so its exception, if it comes to one, counts as seen.
        _underWay?.ContinueWith(t => _ = t.Exception, TaskScheduler.Default);
        (_underWay, _report) = (null, null);
    }

    private void Report()
    {
        _report = steps.Report(
            worker, [.. owned.Select(p => p.Span(parts.FederationIndex, p.DenseThrough, p.DenseWatermarkMs))]);
        _reportedAt = time.GetTimestamp();
        _underWay = parts.Federation.Report(_report).AsTask();
    }

    private async Task Take()
    {
        var reply = await _underWay!;
        var report = _report!;
        (_underWay, _report) = (null, null);
        if (reply.Outcome != PushOutcome.Applied)
        {
            throw new PartLostException($"the dense parameters answered {reply.Outcome} to a report of {report.Steps} steps");
        }

        foreach (var span in report.Spans)
        {
            owned.First(p => p.Name == span.Partition).Applied[parts.FederationIndex] = span.Through;
        }

        report.Difference.Dispose();
        report.OptimizerState.Dispose();
        steps.Continue(reply.State);
        _slowestThrough = reply.SlowestThrough;
        _stateAt = time.GetTimestamp();
        _hasSteps = false;
        metrics.Round(time.GetElapsedTime(_reportedAt));
    }
}
