using System.Numerics.Tensors;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Models;
using Monolith.Silos.Parts;
using Orleans.Concurrency;

namespace Monolith.Silos.Federation;

/// <summary>The dense parameters as a grain. A report's call waits for its round without keeping others from being served.</summary>
/// <param name="services">What parts share.</param>
[KeepAlive]
[Reentrant]
public sealed class FederationGrain(PartServices services) : PartGrain<DenseModel>(services), IFederationGrain
{
    /// <summary>
    /// A lockstep round waits this long for a worker before it is given up; below the time a call waits for its answer.
    /// </summary>
    public static readonly TimeSpan LockstepPatience = TimeSpan.FromSeconds(20);

    private readonly ILogger _logger = services.Loggers.CreateLogger<FederationGrain>();
    private Rounds? _rounds;
    private IGrainTimer? _deadline;
    private TimeSpan _roundDeadline;
    private long _roundCounted;

    private Rounds Rounds => _rounds ??= new Rounds(State, Part, _logger);

    /// <inheritdoc/>
    public ValueTask<DenseState> Join(string worker, RoundMode mode) => new(Rounds.Join(worker, mode));

    /// <inheritdoc/>
    public ValueTask Leave(string worker)
    {
        Meet(() => Rounds.Leave(worker));
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<RoundReply> Report(RoundReport report)
    {
        Validate(report);
        return new(Meet(() => Rounds.Report(report)));
    }

    /// <inheritdoc/>
    public override ValueTask<ClaimReply> Claim(PartitionClaim claim)
    {
        var reply = State.Offsets.Claim(claim);
        if (reply.Granted)
        {
            Meet(() => Rounds.Fence(claim.Partition, claim.Epoch));
        }

        return new(reply);
    }

    /// <inheritdoc/>
    public ValueTask<FederationStatus> Status() =>
        new(new FederationStatus(State.Round, Rounds.Workers, State.Offsets.WatermarkMs));

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _rounds?.Stop();
        return base.OnDeactivateAsync(reason, cancellationToken);
    }

    /// <inheritdoc/>
    protected override (PartIdentity Part, ModelSpec Spec) Identify(IModelRegistry models)
    {
        var spec = models.Get(this.GetPrimaryKeyString());
        _roundDeadline = spec.Federated.RoundDeadline;
        return (PartIdentity.Dense(spec.Name), spec);
    }

    /// <inheritdoc/>
    protected override DenseModel CreateState(ModelSpec spec) => new(spec);

    // Whatever may close a round goes through here.
    private T Meet<T>(Func<T> action)
    {
        var version = State.Version;
        try
        {
            var result = action();
            Settle();
            return result;
        }
        catch (Exception e) when (State.Version != version)
        {
            Doubt(e); // it failed while a round was closing
            throw;
        }
    }

    private void Meet(Action action) => Meet(() =>
    {
        action();
        return 0;
    });

    private void Settle()
    {
        if (State.Round > _roundCounted)
        {
            _roundCounted = State.Round;
            Figures.RoundClosed(Part, Rounds.LastReports);
        }

        if (!Rounds.Open)
        {
            _deadline?.Dispose();
            _deadline = null;
        }
        else if (_deadline is null)
        {
            var byClock = Rounds.ByDeadline;
            _deadline = this.RegisterGrainTimer(
                () => Expire(byClock),
                new GrainTimerCreationOptions
                {
                    DueTime = byClock ? _roundDeadline : LockstepPatience,
                    Period = Timeout.InfiniteTimeSpan,
                    Interleave = true,
                });
        }
    }

    private Task Expire(bool byClock)
    {
        _deadline?.Dispose();
        _deadline = null;
        Meet(() => byClock ? Rounds.Close() : Rounds.CloseWithoutTheMissing());
        return Task.CompletedTask;
    }

    private void Validate(RoundReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentException.ThrowIfNullOrEmpty(report.Worker);
        ArgumentOutOfRangeException.ThrowIfNegative(report.Steps);
        if (report.Steps > 0 && report.Examples < 1)
        {
            throw new ArgumentException($"Worker '{report.Worker}' reports {report.Steps} steps over {report.Examples} examples.");
        }

        var length = State.Parameters.Length * sizeof(float);
        if (report.Steps > 0 && report.Difference.Length != length)
        {
            throw new ArgumentException(
                $"Worker '{report.Worker}' reports a difference of {report.Difference.Length} bytes; the network has {length}.");
        }

        // One value that is not finite would make the whole model so, for everyone and for good.
        if (report.Steps > 0 && !float.IsFinite(TensorPrimitives.Sum(report.Difference.As<float>())))
        {
            throw new ArgumentException(
                $"Worker '{report.Worker}' reports a difference with values that are not finite: its local steps diverged.");
        }

        foreach (var span in report.Spans)
        {
            _ = State.Offsets.Check(span);
        }
    }
}
