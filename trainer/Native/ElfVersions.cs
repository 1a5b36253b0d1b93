using System.Buffers.Binary;
using System.Text;

namespace Monolith.Trainer.Native;

/// <summary>
/// Reads and edits the symbol versions that a 64-bit little-endian ELF library asks of others (section
/// <c>.gnu.version_r</c>; layout: Linux Standard Base Core 5.0, chapter 10.7, "Symbol Versioning").
/// </summary>
internal static class ElfVersions
{
    private const int SectionGnuVersionNeeds = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort FlagWeak = 0x2; // VER_FLG_WEAK
    private const int MostEntries = 4096; // of a chain, so that a broken file cannot send us round in circles

    /// <summary>
    /// Marks a version requirement as weak, so that the dynamic linker loads the library although the provider does not
    /// have that version. Only right where no relocation needs a symbol of it.
    /// </summary>
    /// <param name="library">The library's bytes, edited in place: one bit changes.</param>
    /// <param name="version">For example <c>GLIBCXX_3.4.32</c>.</param>
    /// <returns>True if a requirement was changed; false if there is none or all are weak already.</returns>
    /// <exception cref="InvalidDataException">This is no such library, or its tables point outside it.</exception>
    public static bool MakeWeak(Span<byte> library, string version)
    {
        var changed = false;
        foreach (var flags in Requirements(library, version))
        {
            var value = BinaryPrimitives.ReadUInt16LittleEndian(library[flags..]);
            changed |= (value & FlagWeak) == 0;
            BinaryPrimitives.WriteUInt16LittleEndian(library[flags..], (ushort)(value | FlagWeak));
        }

        return changed;
    }

    /// <summary>Whether the library refuses to load without the version.</summary>
    /// <exception cref="InvalidDataException">This is no such library, or its tables point outside it.</exception>
    public static bool Requires(ReadOnlySpan<byte> library, string version)
    {
        foreach (var flags in Requirements(library, version))
        {
            if ((BinaryPrimitives.ReadUInt16LittleEndian(library[flags..]) & FlagWeak) == 0)
            {
                return true;
            }
        }

        return false;
    }

    // Where the vna_flags of every entry that names the version lie.
    private static List<int> Requirements(ReadOnlySpan<byte> library, string version)
    {
        var found = new List<int>();
        if (FindNeeds(library) is not { } needs)
        {
            return found;
        }

        var wanted = Encoding.ASCII.GetBytes(version);
        var need = needs.Offset;
        for (var n = 0; n < needs.Count; n++)
        {
            // Verneed: version (2), entries (2), file (4), first entry (4), next Verneed (4), both relative to this one.
            var entries = U16(library, need + 2);
            var entry = need + U32(library, need + 8);
            for (var e = 0; e < entries; e++)
            {
                // Vernaux: hash (4), flags (2), other (2), name (4), next (4).
                if (NameIs(library, needs.Strings + U32(library, entry + 8), wanted))
                {
                    found.Add(Checked(library, entry + 4, sizeof(ushort)));
                }

                entry += U32(library, entry + 12);
            }

            need += U32(library, need + 12);
        }

        return found;
    }

    private static (long Offset, int Count, long Strings)? FindNeeds(ReadOnlySpan<byte> library)
    {
        if (library.Length < 64 || !library[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
        {
            throw new InvalidDataException("not a 64-bit little-endian ELF library");
        }

        var sections = U64(library, 0x28);
        int size = U16(library, 0x3a), count = U16(library, 0x3c);
        for (var s = 0; s < count; s++)
        {
            var section = sections + ((long)s * size);
            if (U32(library, section + 4) == SectionGnuVersionNeeds)
            {
                var strings = sections + (U32(library, section + 0x28) * size);
                var needs = U32(library, section + 0x2c);
                return needs <= MostEntries
                    ? (U64(library, section + 0x18), (int)needs, U64(library, strings + 0x18))
                    : throw new InvalidDataException($"{needs} version requirements; at most {MostEntries} are believable");
            }
        }

        return null;
    }

    private static bool NameIs(ReadOnlySpan<byte> library, long offset, ReadOnlySpan<byte> name) =>
        library.Slice(Checked(library, offset, name.Length + 1), name.Length).SequenceEqual(name)
        && library[(int)offset + name.Length] == 0;

    private static ushort U16(ReadOnlySpan<byte> library, long offset) =>
        BinaryPrimitives.ReadUInt16LittleEndian(library[Checked(library, offset, 2)..]);

    private static long U32(ReadOnlySpan<byte> library, long offset) =>
        BinaryPrimitives.ReadUInt32LittleEndian(library[Checked(library, offset, 4)..]);

    private static long U64(ReadOnlySpan<byte> library, long offset) =>
        BinaryPrimitives.ReadInt64LittleEndian(library[Checked(library, offset, 8)..]);

    private static int Checked(ReadOnlySpan<byte> library, long offset, int length) =>
        offset >= 0 && offset <= library.Length - length
            ? (int)offset
            : throw new InvalidDataException($"a table points to byte {offset} of {library.Length}: the file is damaged");
}
