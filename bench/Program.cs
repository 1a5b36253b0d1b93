using BenchmarkDotNet.Running;
using Monolith.Bench.Events;
using Monolith.Bench.Soak;
using Monolith.Bench.Table;

switch (args.FirstOrDefault())
{
    case "table":
        if (TableBenchOptions.Parse(args.AsSpan(1)) is not { } options)
        {
            return 2;
        }

        return new TableBench(options).Run() ? 0 : 1;
    case "events":
        return await EventsBench.RunAsync(args[1..]);
    case "soak":
        return await SoakBench.RunAsync(args[1..]);
    case "inner":
        BenchmarkSwitcher.FromAssembly(typeof(TableBench).Assembly).Run(args[1..]);
        return 0;
    default:
        Console.Error.WriteLine(TableBenchOptions.Usage);
        Console.Error.WriteLine(EventsBench.Usage);
        Console.Error.WriteLine(SoakBench.Usage);
        return 2;
}
