namespace Monolith.Trainer.Tests.Support;

/// <summary>
/// What goes wrong around a part's calls: they get lost on the way there, arrive long after the caller gave up, or their
/// answers get lost; and the part falls back to its snapshot.
/// </summary>
internal sealed class Chaos(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>Share of calls that go wrong; 0 lets everything pass.</summary>
    public double Rate { get; set; }

    public int Failures { get; private set; }

    /// <summary>Calls that were given up and have yet to arrive.</summary>
    public List<Task> Late { get; } = [];

    public int Restores { get; private set; }

    public async ValueTask<TReply> Call<TReply>(FakePart part, Func<TReply> apply)
    {
        await Task.Yield();
        double before, after, what, delay;
        lock (_random)
        {
            (before, after, what, delay) = (_random.NextDouble(), _random.NextDouble(), _random.NextDouble(), _random.NextDouble());
        }

        lock (part)
        {
            if (before < Rate)
            {
                if (what < 0.4)
                {
                    Restores++;
                    part.Restore();
                }

                Failures++;
                if (what > 0.6)
                {
                    Arrive(part, apply, TimeSpan.FromMilliseconds(20 * delay));
                }

                throw new TimeoutException("lost on the way there");
            }

            if (what < 0.2)
            {
                part.Snapshot();
            }

            var reply = apply();
            if (after < Rate)
            {
                Failures++;
                throw new TimeoutException("lost on the way back");
            }

            return reply;
        }
    }

    private void Arrive<TReply>(FakePart part, Func<TReply> apply, TimeSpan after)
    {
        async Task Apply()
        {
            await Task.Delay(after);
            lock (part)
            {
                apply();
            }
        }

        lock (Late)
        {
            Late.Add(Apply());
        }
    }
}
