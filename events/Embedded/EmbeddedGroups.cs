namespace Monolith.Events.Embedded;

/// <summary>
/// The groups of an embedded log: members of one process share the partitions of a topic. A partition moves only when its
/// owner has polled it away, so it never has two owners.
/// </summary>
internal sealed class EmbeddedGroups
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Group, string Topic), Group> _groups = [];

    public EmbeddedMember Join(string name, string topic, int partitions)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue((name, topic), out var group))
            {
                _groups[(name, topic)] = group = new Group(partitions);
            }

            var member = new EmbeddedMember(this, group, name);
            group.Members.Add(member);
            Balance(group);
            return member;
        }
    }

    public GroupChange Poll(EmbeddedMember member)
    {
        lock (_lock)
        {
            List<int> revoked = [];
            List<int> assigned = [];
            for (var partition = 0; partition < member.Group.Owner.Length; partition++)
            {
                ref var owner = ref member.Group.Owner[partition];
                var wanted = member.Group.Target[partition] == member;
                if (owner == member && !wanted)
                {
                    owner = null;
                    revoked.Add(partition);
                }
                else if (owner is null && wanted)
                {
                    owner = member;
                    assigned.Add(partition);
                }
            }

            return revoked.Count + assigned.Count == 0 ? GroupChange.None : new GroupChange(assigned, revoked);
        }
    }

    public bool Owns(EmbeddedMember member, int partition)
    {
        lock (_lock)
        {
            return partition < member.Group.Owner.Length && member.Group.Owner[partition] == member;
        }
    }

    public void Leave(EmbeddedMember member)
    {
        lock (_lock)
        {
            if (member.Group.Members.Remove(member))
            {
                for (var partition = 0; partition < member.Group.Owner.Length; partition++)
                {
                    if (member.Group.Owner[partition] == member)
                    {
                        member.Group.Owner[partition] = null;
                    }
                }

                Balance(member.Group);
            }
        }
    }

    /// <summary>Gives every member its share, moving as little as possible.</summary>
    private static void Balance(Group group)
    {
        var shares = new Dictionary<EmbeddedMember, int>();
        for (var i = 0; i < group.Members.Count; i++)
        {
            var extra = i < group.Target.Length % group.Members.Count ? 1 : 0;
            shares[group.Members[i]] = (group.Target.Length / group.Members.Count) + extra;
        }

        foreach (ref var target in group.Target.AsSpan())
        {
            if (target is not null && shares.TryGetValue(target, out var left) && left > 0)
            {
                shares[target] = left - 1;
            }
            else
            {
                target = null;
            }
        }

        foreach (ref var target in group.Target.AsSpan())
        {
            if (target is null && group.Members.Find(m => shares[m] > 0) is { } member)
            {
                target = member;
                shares[member]--;
            }
        }
    }

    /// <summary>Members and who owns, and who is to own, each partition.</summary>
    internal sealed class Group(int partitions)
    {
        public List<EmbeddedMember> Members { get; } = [];

        public EmbeddedMember?[] Owner { get; } = new EmbeddedMember?[partitions];

        public EmbeddedMember?[] Target { get; } = new EmbeddedMember?[partitions];
    }
}

/// <summary>A member of a group of the embedded log.</summary>
internal sealed class EmbeddedMember(EmbeddedGroups groups, EmbeddedGroups.Group group, string name) : IGroupMember
{
    string IGroupMember.Group => name;

    internal EmbeddedGroups.Group Group { get; } = group;

    public ValueTask<GroupChange> PollAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(groups.Poll(this));

    public ValueTask DisposeAsync()
    {
        groups.Leave(this);
        return ValueTask.CompletedTask;
    }

    internal bool Owns(int partition) => groups.Owns(this, partition);
}
