namespace Monolith.Bench.Table;

/// <summary>Something that holds rows and can be measured.</summary>
public abstract class Contender : IDisposable
{
    /// <summary>Its name in the report.</summary>
    public abstract string Name { get; }

    /// <summary>Whether it can be updated.</summary>
    public virtual bool Updates => true;

    /// <summary>Inserts all rows.</summary>
    public abstract void Fill(Workload workload);

    /// <summary>Finds rows and copies their values.</summary>
    public abstract void Lookup(ReadOnlySpan<ulong> ids, Span<float> values);

    /// <summary>Takes an Adagrad step a row.</summary>
    public abstract void Update(ReadOnlySpan<ulong> ids, ReadOnlySpan<float> gradients);

    public virtual void Dispose() => GC.SuppressFinalize(this);
}
