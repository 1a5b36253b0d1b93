using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Tests.Model;

namespace Monolith.Embeddings.Tests;

/// <summary>
/// A table behaves as a dictionary of rows does, whatever is done to it: growth, shrinking, expiry, budgets, admission,
/// deletions, assignments, changes followed by a replica, full and incremental snapshots taken meanwhile, restores, resharding.
/// </summary>
public sealed class TableModelTests
{
    private static readonly Gen<Step[]> Steps =
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, 999], Gen.Int[1, 999], Gen.UInt[0, 120], (kind, from, size, time) => new Step(kind, from, size, time))
            .Array[1, 40];

    private static readonly Gen<AdmissionSpec> Admissions = Gen.OneOf(
        Gen.Const<AdmissionSpec>(new AdmitAll()),
        Gen.Int[1, 6].Select(n => (AdmissionSpec)new AdmitAfter(n)),
        Gen.Bool.Select(share => share ? (AdmissionSpec)new AdmitByShare(3) : new AdmitByChance(4)));

    private static readonly Gen<TableSpec> Tables =
        Gen.Select(Admissions, Gen.Int[0, 4], Gen.Bool, Gen.Bool, Gen.Enum<RowPrecision>(), (admission, budget, expires, zeros, precision) => ModelRow.Spec with
        {
            // How many of the ids that chance admits are evicted at once no model can tell.
            Budget = budget > 2 || admission is AdmitByShare or AdmitByChance ? null : new BudgetSpec { MaxRows = 3000, Evict = (EvictionOrder)budget },
            Admission = admission,
            Expiry = expires ? TimeSpan.FromSeconds(TableMachine.Expiry) : null,
            Unseen = zeros ? UnseenValue.Zeros : UnseenValue.InitialValue,
            Precision = precision,
        });

    [Fact]
    public void A_table_behaves_as_a_dictionary_does() =>
        Gen.Select(Tables, Steps, Gen.Bool).Sample((spec, steps, validate) => Run(spec, 6000, steps, validate), iter: 60, threads: 1);

    /// <summary>So many ids that the index splits and merges, also while snapshots pass over it.</summary>
    [Fact]
    public void A_large_table_behaves_as_a_dictionary_does() =>
        Gen.Select(Tables, Steps).Sample(
            (spec, steps) => Run(spec with { Budget = spec.Budget is { } b ? b with { MaxRows = 20_000 } : null }, 30_000, steps, validate: false),
            iter: 5,
            threads: 1);

    private static void Run(TableSpec spec, int ids, Step[] steps, bool validate)
    {
        using var machine = new TableMachine(spec, ids);
        foreach (var step in steps)
        {
            machine.Do(step);
            machine.Compare();
            if (validate)
            {
                machine.Validate();
            }
        }

        machine.Validate();
        machine.CheckEnd();
    }
}
