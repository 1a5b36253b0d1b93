using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;

namespace Monolith.Silos.Parts;

/// <summary>
/// What all parts have in common as grains: restored when activated, flushed and saved by timers, saved when deactivated.
/// Subclasses are reentrant, so that calls go on while a snapshot or a delta is on its way; a call that changes the state
/// does so without awaiting in between.
/// </summary>
/// <typeparam name="TState">What the part has learned.</typeparam>
/// <param name="services">What parts share.</param>
public abstract partial class PartGrain<TState>(PartServices services) : Grain, IPart
    where TState : class, IPartState
{
    private static readonly TimeSpan SaveAtStopMax = TimeSpan.FromMinutes(2);
    private readonly PartServices _services = services;
    private readonly ILogger _logger = services.Loggers.CreateLogger<PartGrain<TState>>();
    private PartIdentity? _part;
    private TState? _state;
    private PartKeeper? _keeper;

    /// <summary>Which part this is.</summary>
    protected PartIdentity Part => _part ?? throw new InvalidOperationException("The part is not active.");

    /// <summary>What it has learned.</summary>
    protected TState State => _state ?? throw new InvalidOperationException("The part is not active.");

    /// <summary>Its epoch and sequence.</summary>
    protected PartKeeper Keeper => _keeper ?? throw new InvalidOperationException("The part is not active.");

    /// <summary>Figures.</summary>
    protected SiloMetrics Figures => _services.Metrics;

    /// <inheritdoc/>
    public virtual ValueTask<ClaimReply> Claim(PartitionClaim claim) => new(State.Offsets.Claim(claim));

    /// <inheritdoc/>
    public ValueTask<long> SavedThrough(string partition) => new(Keeper.SavedThrough(partition));

    /// <inheritdoc/>
    public async Task Save()
    {
        await Keeper.SaveAsync();
        if (Keeper.Stopped)
        {
            DeactivateOnIdle();
            throw new InvalidOperationException($"{Part} was not saved: another activation owns it now.");
        }
    }

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var (part, spec) = Identify(_services.Models);
        var state = CreateState(spec);
        try
        {
            var keeper = _services.Keep(part, state, spec.Sync);
            await keeper.RestoreAsync();
            (_part, _state, _keeper) = (part, state, keeper);
        }
        catch (Exception e)
        {
            (state as IDisposable)?.Dispose();
            LogActivation(part, e.Message);
            throw;
        }

        this.RegisterGrainTimer(FlushTick, Timer(spec.Sync.Interval, spec.Sync.Interval));

        // Parts of a model are activated together; that they are not saved together spreads the work.
        var share = XxHash3.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(part.ToString())) % 64 / 64.0;
        this.RegisterGrainTimer(SaveTick, Timer(spec.Sync.SnapshotInterval * (0.5 + (0.5 * share)), spec.Sync.SnapshotInterval));
    }

    /// <inheritdoc/>
    [SuppressMessage("Design", "CA1031", Justification = "A part that cannot be saved is stopped all the same; its snapshot before is what counts.")]
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_keeper is not { } keeper)
        {
            return;
        }

        try
        {
            // A stop that has no time left saves nothing; one that has begun to save had better finish.
            if (!keeper.Stopped && !cancellationToken.IsCancellationRequested)
            {
                await keeper.SaveAsync().WaitAsync(SaveAtStopMax, _services.Time, CancellationToken.None);
            }
        }
        catch (Exception e)
        {
            _services.Metrics.SaveFailed(Part);
            LogSaveAtStop(e, Part);
        }
        finally
        {
            await keeper.StopAsync();
            (_state as IDisposable)?.Dispose();
        }
    }

    /// <summary>Which part this grain's key names, and its model.</summary>
    protected abstract (PartIdentity Part, ModelSpec Spec) Identify(Models.IModelRegistry models);

    /// <summary>A state that has learned nothing.</summary>
    protected abstract TState CreateState(ModelSpec spec);

    /// <summary>
    /// Stops the part because a change of its state failed half way: it saves nothing more, and its next activation starts
    /// from the snapshot.
    /// </summary>
    protected void Doubt(Exception reason)
    {
        LogDoubt(reason, Part);
        Keeper.Stop();
        DeactivateOnIdle();
    }

    private static GrainTimerCreationOptions Timer(TimeSpan due, TimeSpan period) =>
        new() { DueTime = due, Period = period, Interleave = true, KeepAlive = true };

    [SuppressMessage("Design", "CA1031", Justification = "The next tick tries again.")]
    private async Task FlushTick()
    {
        try
        {
            await Keeper.FlushAsync();
            if (Keeper.BaseDue)
            {
                await SaveTick();
            }
        }
        catch (Exception e)
        {
            LogFlush(e, Part);
        }

        if (Keeper.Stopped)
        {
            DeactivateOnIdle();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "The next tick tries again; what was saved before still counts.")]
    private async Task SaveTick()
    {
        try
        {
            await Keeper.SaveAsync();
        }
        catch (Exception e)
        {
            _services.Metrics.SaveFailed(Part);
            LogSave(e, Part);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Part} cannot be activated: {Reason}")]
    private partial void LogActivation(PartIdentity part, string reason);

    [LoggerMessage(LogLevel.Error, "{Part} could not be saved when it stopped; it goes on from its snapshot before")]
    private partial void LogSaveAtStop(Exception e, PartIdentity part);

    [LoggerMessage(LogLevel.Error, "{Part} failed in the middle of a change; it goes on from its snapshot")]
    private partial void LogDoubt(Exception e, PartIdentity part);

    [LoggerMessage(LogLevel.Error, "{Part} could not publish; it tries again")]
    private partial void LogFlush(Exception e, PartIdentity part);

    [LoggerMessage(LogLevel.Error, "{Part} could not be saved; it tries again")]
    private partial void LogSave(Exception e, PartIdentity part);
}
