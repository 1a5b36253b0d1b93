using Monolith.Contracts.Events;

namespace Monolith.Standalone.Replay;

/// <summary>
/// Values of one column by their text, so that one that comes again and again (most do) is made once. Groups share them,
/// which is safe since nobody changes what was read. Starts over when it is full.
/// </summary>
internal sealed class ValueCache
{
    private const int EntriesMax = 4096;
    private readonly Dictionary<string, FeatureValue> _values = [];
    private readonly Dictionary<string, FeatureValue>.AlternateLookup<ReadOnlySpan<char>> _byText;

    public ValueCache() => _byText = _values.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The value of a text.</summary>
    public FeatureValue Of(ReadOnlySpan<char> text)
    {
        if (!_byText.TryGetValue(text, out var value))
        {
            if (_values.Count == EntriesMax)
            {
                _values.Clear();
            }

            value = new FeatureValue { Text = text.ToString() };
            _values.Add(value.Text, value);
        }

        return value;
    }
}
