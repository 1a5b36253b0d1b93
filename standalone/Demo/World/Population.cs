namespace Monolith.Standalone.Demo.World;

/// <summary>
/// Users with hidden, drifting tastes. A user's taste is mostly that of a segment and partly the user's own; segments turn
/// slowly, and now and then half of them change at once. All of it is a function of the seed and the world's time, so a
/// world that was stopped goes on where it was.
/// </summary>
internal sealed class Population
{
    /// <summary>Width of taste.</summary>
    public const int Dimension = 8;

    /// <summary>Groups of users with a common taste.</summary>
    public const int Segments = 8;

    private const float SegmentShare = 0.7f;
    private readonly WorldOptions _options;
    private readonly float[] _own;
    private readonly byte[] _segment;
    private readonly float[] _activity;

    public Population(WorldOptions options)
    {
        _options = options;
        _own = new float[options.Users * Dimension];
        _segment = new byte[options.Users];
        _activity = new float[options.Users];
        for (var user = 0; user < options.Users; user++)
        {
            var random = new SeededRandom(options.Seed, Draw.User, user);
            _segment[user] = (byte)random.Below(Segments);
            _activity[user] = (float)random.Normal();
            random.Direction(_own.AsSpan(user * Dimension, Dimension));
        }
    }

    /// <summary>Users.</summary>
    public int Count => _segment.Length;

    /// <summary>A user's segment, which the application knows.</summary>
    public int SegmentOf(int user) => _segment[user];

    /// <summary>How readily a user clicks on anything, in log odds.</summary>
    public float ActivityOf(int user) => _activity[user];

    /// <summary>A user's taste at a time, a vector of length 1.</summary>
    public void TasteAt(int user, double seconds, Span<float> into)
    {
        Span<float> common = stackalloc float[Dimension];
        SegmentTasteAt(_segment[user], seconds, common);
        Vectors.Blend(common, _own.AsSpan(user * Dimension, Dimension), SegmentShare, into);
    }

    /// <summary>How often a segment's taste has changed at once by a time.</summary>
    private long ChangesOf(int segment, double seconds)
    {
        // Segments take turns: the even ones change at every odd drift, the others at the even ones.
        var drifts = (long)(seconds / _options.AbruptDriftEvery.TotalSeconds);
        return (drifts + (segment & 1)) / 2;
    }

    private void SegmentTasteAt(int segment, double seconds, Span<float> into)
    {
        var change = ChangesOf(segment, seconds);
        Span<float> towards = stackalloc float[Dimension];
        new SeededRandom(_options.Seed, Draw.SegmentTaste, segment, change).Direction(into);
        new SeededRandom(_options.Seed, Draw.SegmentTurn, segment, change).Direction(towards);
        var angle = 2 * Math.PI * seconds / _options.SlowDriftPeriod.TotalSeconds;
        var share = (float)Math.Pow(Math.Cos(angle / 2), 2);
        Vectors.Blend(into, towards, share, into);
    }
}
