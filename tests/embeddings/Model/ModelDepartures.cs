namespace Monolith.Embeddings.Tests.Model;

/// <summary>Which departures a table has to remember. Those of one call come in an order that the model does not know.</summary>
internal sealed class ModelDepartures
{
    private readonly Dictionary<ulong, (Departure Departure, long From, long To)> _last = [];
    private long _count;

    public void Add(IReadOnlyCollection<Departure> together)
    {
        foreach (var departure in together)
        {
            _last[departure.Id] = (departure, _count, _count + together.Count);
        }

        _count += together.Count;
    }

    public bool Knows(Departure departure) => _last.TryGetValue(departure.Id, out var last) && last.Departure == departure;

    public void Check(ulong id, Departure? found)
    {
        var oldest = _count - EmbeddingTable.DeparturesKept;
        if (!_last.TryGetValue(id, out var last) || last.To <= oldest)
        {
            Assert.Null(found);
        }
        else if (last.From >= oldest || found is not null)
        {
            Assert.Equal(last.Departure, found);
        }
    }
}
