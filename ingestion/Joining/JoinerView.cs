namespace Monolith.Ingestion.Joining;

/// <summary>How a joiner's partitions stood after a step, all figures of the same moment.</summary>
/// <param name="Partitions">Partitions it owns.</param>
/// <param name="PendingItems">Shown items whose window is open.</param>
/// <param name="Waiting">Actions that wait for their impression.</param>
/// <param name="WatermarkMs">Event time windows have closed through, the least of the partitions; 0 before the first event.</param>
internal sealed record JoinerView(int Partitions, long PendingItems, long Waiting, long WatermarkMs);
