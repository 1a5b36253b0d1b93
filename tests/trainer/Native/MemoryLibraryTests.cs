using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Monolith.Trainer.Native;

namespace Monolith.Trainer.Tests.Native;

[SupportedOSPlatform("linux")]
public sealed class MemoryLibraryTests
{
    [Fact]
    public void Bytes_that_are_no_library_are_refused_with_the_reason()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux loads from memory");
        Assert.False(MemoryLibrary.TryLoad("nothing.so", new byte[100], out var handle, out var reason));
        Assert.Equal(0, handle);
        Assert.NotEmpty(reason);
    }

    [Fact]
    public void Bytes_are_never_answered_with_a_library_that_was_loaded_before()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux loads from memory");
        var library = File.ReadAllBytes(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "libSystem.Globalization.Native.so"));
        Assert.True(MemoryLibrary.TryLoad("library.so", library, out var handle, out var reason), reason);
        Assert.NotEqual(0, handle);
        Assert.False(MemoryLibrary.TryLoad("nothing.so", new byte[100], out _, out _));
    }
}
