using Monolith.Trainer.Parts;

namespace Monolith.Trainer.Worker;

/// <content>How a worker gets its partitions, loses them and takes them back.</content>
internal sealed partial class TrainingWorker
{
    // Claims every partition. Live, a worker that has lost all of them waits until one is abandoned; over history it is over: false.
    private async Task<bool> ClaimPartitions(CancellationToken stop)
    {
        while (true)
        {
            foreach (var partition in _owned.ToArray())
            {
                if (!await _ballot.Take(partition, stop))
                {
                    _owned.Remove(partition);
                    _lost.Add(partition);
                    Progress.Failed($"{partition.Name} was taken over by another worker");
                    LogTakenOver(Name, partition.Name);
                }
            }

            if (_owned.Count > 0 || IsHistory)
            {
                return _owned.Count > 0;
            }

            await Leave(); // rounds need not wait for it
            while (!await TakeBackAbandoned())
            {
                await Task.Delay(_lost.DueIn, _context.Time, stop);
            }
        }
    }

    // True when the worker has partitions more, which are still to be claimed.
    private async Task<bool> TakeBackAbandoned()
    {
        var abandoned = _lost.DueIn == TimeSpan.Zero ? await _lost.FindAbandoned() : [];
        _owned.AddRange(abandoned);
        abandoned.ForEach(p => LogTakenBack(Name, p.Name));
        return abandoned.Count > 0;
    }

    // While the worker learns from others: all its partitions are claimed anew together with those that it takes back.
    private async Task TakeBackIfDue()
    {
        if (await TakeBackAbandoned())
        {
            throw new PartLostException($"{Name} claims its partitions anew, to take back what another worker abandoned");
        }
    }
}
