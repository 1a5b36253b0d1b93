using Monolith.Trainer.Native;
using TorchSharp;

namespace Monolith.Trainer.Tests.Native;

public sealed class TorchRuntimeTests
{
    [Fact]
    public void Torch_computes_here()
    {
        TorchRuntime.Load();
        TorchRuntime.Load();
        using var scope = torch.NewDisposeScope();
        var x = torch.ones(2, 3).requires_grad_(true);
        (x * 3).sum().backward();
        Assert.Equal([3, 3, 3, 3, 3, 3], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void The_natives_lie_in_the_output_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "looks at Linux's file names");
        TorchRuntime.Load();
        var copies = Directory.GetFiles(AppContext.BaseDirectory, "libtorch_cpu.so", SearchOption.AllDirectories);
        Assert.Single(copies);
    }
}
