namespace Monolith.Bench.Table;

/// <summary>Managed memory a batch takes in the steady state.</summary>
internal static class Allocation
{
    public static double PerBatch(Ours ours, Workload workload)
    {
        const int Batches = 200;
        var ids = new ulong[Workload.Batch];
        var values = new float[Workload.Batch * workload.Dimension];
        workload.FillDistinct(ids, new Random(1));
        ours.Lookup(ids, values);
        ours.Update(ids, values);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var b = 0; b < Batches; b++)
        {
            ours.Lookup(ids, values);
            ours.Update(ids, values);
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / (2.0 * Batches);
    }
}
