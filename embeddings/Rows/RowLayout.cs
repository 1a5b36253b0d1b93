using Monolith.Contracts.Specification;
using Monolith.Embeddings.Optimizers;

namespace Monolith.Embeddings.Rows;

/// <summary>
/// A row in memory: the values of all segments, then the optimizer state of all segments, so that a lookup reads one run
/// of memory.
/// </summary>
internal sealed unsafe class RowLayout
{
    /// <summary>Bytes a row may take: several fit a slab, and one a block of a snapshot.</summary>
    public const int MaxRowBytes = 1 << 19;

    public RowLayout(TableSpec spec, TableContent content)
    {
        Updaters = new SegmentUpdater[spec.Segments.Length];
        Places = new SegmentPlace[spec.Segments.Length];
        Dimension = spec.Dimension;
        Trains = content == TableContent.Training;
        var values = 0;
        for (var i = 0; i < Updaters.Length; i++)
        {
            Updaters[i] = SegmentUpdaters.Create(spec.Segments[i]);
            Places[i] = new SegmentPlace(values, StateFloats);
            values += Updaters[i].Dimension;
            StateFloats += Updaters[i].StateFloats;
        }

        Precision = spec.Precision;
        Served = new RowCodec([.. new ServedRow(spec).Runs]);
        Values = Trains ? new RowCodec(new RowRun(Precision, Dimension)) : Served;
        // State is floats, so it begins at a multiple of four.
        ValueBytes = (Values.Bytes + 3) & ~3;
        StateBytes = Trains ? StateFloats * sizeof(float) : 0;
        if (RowBytes > MaxRowBytes)
        {
            throw new ArgumentException(
                $"a row of table '{spec.Name}' takes {RowBytes} bytes with its optimizer state; at most {MaxRowBytes} are allowed", nameof(spec));
        }
    }

    /// <summary>Values a row.</summary>
    public int Dimension { get; }

    /// <summary>Whether rows carry optimizer state.</summary>
    public bool Trains { get; }

    /// <summary>Floats of optimizer state of a training row.</summary>
    public int StateFloats { get; }

    /// <summary>How values are learned.</summary>
    public RowPrecision Precision { get; }

    /// <summary>How values lie in memory.</summary>
    public RowCodec Values { get; }

    /// <summary>How values travel to replicas, and lie there.</summary>
    public RowCodec Served { get; }

    /// <summary>Bytes of a row's values; state begins here.</summary>
    public int ValueBytes { get; }

    /// <summary>Bytes of a row's state here.</summary>
    public int StateBytes { get; }

    /// <summary>Bytes a row.</summary>
    public int RowBytes => ValueBytes + StateBytes;

    /// <summary>What updates each segment.</summary>
    public SegmentUpdater[] Updaters { get; }

    /// <summary>Where each segment lies.</summary>
    public SegmentPlace[] Places { get; }

    /// <summary>Writes the optimizer state a new row starts from.</summary>
    public void InitializeState(byte* row)
    {
        var state = (float*)(row + ValueBytes);
        for (var i = 0; i < Updaters.Length; i++)
        {
            Updaters[i].InitializeState(state + Places[i].State);
        }
    }
}
