using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Standalone.Replay;

namespace Monolith.Standalone.Specs;

/// <summary>
/// Whether a draft is valid and its own file can be learned from with it: it is read as a replay reads it.
/// </summary>
internal static class DraftProof
{
    /// <summary>Reads the beginning of the file with the draft.</summary>
    /// <param name="yaml">The draft.</param>
    /// <param name="path">The file.</param>
    /// <param name="rows">How much of it.</param>
    /// <exception cref="SpecException">The draft is not valid.</exception>
    /// <exception cref="DataFileException">The file cannot be read with it.</exception>
    public static void Check(string yaml, string path, long rows)
    {
        var spec = ModelSpecFile.Parse(yaml, "the draft");
        var extractor = new FeatureExtractor(spec, ExtractFor.Training);
        var batch = extractor.CreateBatch();
        using var requests = new CsvRequests(spec, path, 0, _ => true);
        try
        {
            while (requests.Position < rows && requests.Read() is { } request)
            {
                batch.Clear();
                foreach (var example in request.Group.Examples)
                {
                    extractor.Append(request.Group.Shared, example.Features, batch);
                }
            }
        }
        catch (FeatureException failure)
        {
            throw new DataFileException($"{Path.GetFileName(path)}, row {requests.Position}: {failure.Message}", failure);
        }
    }
}
