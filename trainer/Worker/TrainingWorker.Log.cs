using Microsoft.Extensions.Logging;

namespace Monolith.Trainer.Worker;

/// <content>What a worker writes to the log.</content>
internal sealed partial class TrainingWorker
{
    [LoggerMessage(LogLevel.Information, "{Worker} learns from {Positions}, dense parameters of round {Round}")]
    private partial void LogStarts(string worker, string positions, long round);

    [LoggerMessage(LogLevel.Warning, "{Worker} goes back to where the parts stand after failure {Failures} in a row")]
    private partial void LogFailure(Exception e, string worker, int failures);

    [LoggerMessage(LogLevel.Warning, "{Worker} gives up {Partition}: another worker has taken it over; it is taken back when nobody learns from it any more")]
    private partial void LogTakenOver(string worker, string partition);

    [LoggerMessage(LogLevel.Information, "{Worker} takes {Partition} back: the worker that had taken it over no longer learns from it")]
    private partial void LogTakenBack(string worker, string partition);

    [LoggerMessage(LogLevel.Warning, "{Worker} starts its dense optimizer from scratch: the state kept is of another optimizer or network")]
    private partial void LogOtherOptimizer(string worker);

    [LoggerMessage(LogLevel.Warning, "{Worker} did not finish within {Wait}; what it did not deliver is learned again at the next start")]
    private partial void LogStopTooLong(Exception e, string worker, TimeSpan wait);

    [LoggerMessage(LogLevel.Warning, "{Worker} could not take its leave; rounds stop waiting for it by themselves")]
    private partial void LogLeave(Exception e, string worker);

    [LoggerMessage(LogLevel.Error, "{Worker} leaves out {Examples} examples, {Partition} from {From} through {Through}: learning from them gave infinite or very large gradients ({Batches} micro-batches so far); lower the learning rates, and start from a snapshot or a new data folder if this goes on")]
    private partial void LogUnsound(string worker, int examples, string partition, long from, long through, int batches);

    [LoggerMessage(LogLevel.Warning, "{Worker}: {Warning}")]
    private partial void LogNumber(string worker, string warning);

    [LoggerMessage(LogLevel.Warning, "{Worker} leaves out an example: {Reason} ({Refused} so far)")]
    private partial void LogRefused(string worker, string reason, long refused);
}
