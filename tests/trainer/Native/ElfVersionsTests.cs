using Monolith.Trainer.Native;

namespace Monolith.Trainer.Tests.Native;

public sealed class ElfVersionsTests
{
    private const string Version = "GLIBCXX_3.4.32";

    private static byte[] Wrapper()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux's library is an ELF file");
        return File.ReadAllBytes(TorchRuntime.FindWrapper()!);
    }

    [Fact]
    public void The_real_library_requires_the_version_until_it_is_made_weak_and_one_bit_is_all_that_changes()
    {
        var before = Wrapper();
        var after = before.ToArray();

        Assert.True(ElfVersions.Requires(before, Version));
        Assert.True(ElfVersions.MakeWeak(after, Version));
        Assert.False(ElfVersions.Requires(after, Version));

        var changed = before.Zip(after).Where(p => p.First != p.Second).ToArray();
        var (first, second) = Assert.Single(changed);
        Assert.Equal(2, first ^ second);
    }

    [Fact]
    public void Making_it_weak_twice_is_making_it_weak_once()
    {
        var library = Wrapper();
        Assert.True(ElfVersions.MakeWeak(library, Version));
        var once = library.ToArray();
        Assert.False(ElfVersions.MakeWeak(library, Version));
        Assert.Equal(once, library);
    }

    [Fact]
    public void Other_versions_stay_required()
    {
        var library = Wrapper();
        ElfVersions.MakeWeak(library, Version);
        Assert.True(ElfVersions.Requires(library, "GLIBCXX_3.4.30"));
        Assert.True(ElfVersions.Requires(library, "GLIBC_2.34"));
        Assert.False(ElfVersions.MakeWeak(library, "GLIBCXX_9.9.9"));
    }

    [Fact]
    public void A_file_that_is_no_library_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => ElfVersions.MakeWeak(new byte[10], Version));
        Assert.Throws<InvalidDataException>(() => ElfVersions.MakeWeak(new byte[4096], Version));
    }

    [Fact]
    public void A_damaged_or_torn_library_is_refused_or_read_within_its_bounds()
    {
        var whole = Wrapper();
        var random = new Random(7);
        var refused = 0;
        for (var i = 0; i < 300; i++)
        {
            // Torn somewhere, and a few bytes of the header changed.
            var library = whole.AsSpan(0, i % 3 == 0 ? random.Next(whole.Length) : whole.Length).ToArray();
            for (var flips = 0; flips < 4 && library.Length > 64; flips++)
            {
                library[random.Next(6, 64)] = (byte)random.Next(256);
            }

            try
            {
                ElfVersions.MakeWeak(library, Version);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 100, 300);
    }
}
