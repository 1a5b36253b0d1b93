using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Monolith.Trainer.Sources;

namespace Monolith.Standalone.Replay;

/// <summary>
/// Every score of a replay by row number, kept in a file of fixed-size records: workers write it in any order, memory does
/// not grow with the data, and it is read back in file order.
/// </summary>
internal sealed class ScoreFile : IScoreSink, IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly int _tasks;
    private readonly int _stride;
    private long _scores;

    /// <summary>Creates the file; it is deleted when closed.</summary>
    /// <param name="folder">Where to keep it; no other process uses it.</param>
    /// <param name="tasks">Scores a row.</param>
    public ScoreFile(string folder, int tasks)
    {
        Directory.CreateDirectory(folder);
        foreach (var left in Directory.EnumerateFiles(folder, "scores-*.tmp"))
        {
            File.Delete(left); // of a process that was killed
        }

        _tasks = tasks;
        _stride = tasks * 2;
        _file = File.OpenHandle(
            Path.Combine(folder, $"scores-{Guid.NewGuid():N}.tmp"), FileMode.CreateNew, FileAccess.ReadWrite,
            FileShare.None, FileOptions.DeleteOnClose);
    }

    /// <inheritdoc/>
    public void Scored(int partition, in ExampleRecord record, ReadOnlySpan<float> scores)
    {
        var examples = record.Group.Examples;
        Interlocked.Add(ref _scores, examples.Count);
        Span<float> values = stackalloc float[Math.Min(examples.Count * _stride, 4096)];
        var capacity = values.Length / _stride;
        for (var start = 0; start < examples.Count; start += capacity)
        {
            var count = Math.Min(capacity, examples.Count - start);
            for (var i = 0; i < count; i++)
            {
                var labels = examples[start + i].Labels;
                for (var t = 0; t < _tasks; t++)
                {
                    var label = labels[t];
                    values[(i * _stride) + (t * 2)] = scores[((start + i) * _tasks) + t];

                    // Labels are stored above zero, so that a row nobody wrote (all zeros) is not taken for one.
                    values[(i * _stride) + (t * 2) + 1] = label.Present ? 1 + label.Value : float.NaN;
                }
            }

            var bytes = MemoryMarshal.AsBytes(values[..(count * _stride)]);
            RandomAccess.Write(_file, bytes, (record.Offset + start) * _stride * sizeof(float));
        }
    }

    /// <summary>Examples scored so far, for showing progress: those scored again after a recovery count again.</summary>
    public long Scores => Interlocked.Read(ref _scores);

    /// <summary>Rows up to the last one written.</summary>
    public long Rows => RandomAccess.GetLength(_file) / (_stride * sizeof(float));

    /// <summary>Rows whose examples were left out: they have no score.</summary>
    public long LeftOut => ReadAll().LongCount(row => float.IsNaN(row.Tasks[0].Score));

    /// <summary>Scores and labels of one task in file order, without the rows that have no score or no label.</summary>
    public IEnumerable<ScoredRow> Read(int task)
    {
        foreach (var (row, tasks) in ReadAll())
        {
            if (tasks[task] is (var score, { } label) && !float.IsNaN(score))
            {
                yield return new ScoredRow(row, score, label);
            }
        }
    }

    /// <summary>
    /// Every scored row in file order, with the score (NaN where the example was left out) and, where there is one, the
    /// label of each task. The array is used
    /// again for the next row.
    /// </summary>
    public IEnumerable<(long Row, (float Score, float? Label)[] Tasks)> ReadAll()
    {
        const int chunk = 4096;
        var buffer = new byte[_stride * sizeof(float) * chunk];
        var tasks = new (float Score, float? Label)[_tasks];
        for (var first = 0L; ; first += chunk)
        {
            var rows = Fill(buffer, first) / (_stride * sizeof(float));
            for (var i = 0; i < rows; i++)
            {
                var cells = MemoryMarshal.Cast<byte, float>(buffer).Slice(i * _stride, _stride);
                if (cells[1] == 0)
                {
                    continue; // a hole: nobody scored this row
                }

                for (var t = 0; t < _tasks; t++)
                {
                    tasks[t] = (cells[2 * t], float.IsNaN(cells[(2 * t) + 1]) ? null : cells[(2 * t) + 1] - 1);
                }

                yield return (first + i, tasks);
            }

            if (rows < chunk)
            {
                yield break;
            }
        }
    }

    // A read may return less than there is.
    private int Fill(byte[] buffer, long firstRow)
    {
        var filled = 0;
        for (int read; filled < buffer.Length; filled += read)
        {
            read = RandomAccess.Read(_file, buffer.AsSpan(filled), (firstRow * _stride * sizeof(float)) + filled);
            if (read == 0)
            {
                break;
            }
        }

        return filled;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}

/// <summary>A row's score before anything was learned from its request.</summary>
/// <param name="Row">Row number from 0.</param>
/// <param name="Score">Probability.</param>
/// <param name="Label">0 or 1.</param>
internal readonly record struct ScoredRow(long Row, float Score, float Label);
