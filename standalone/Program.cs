using Monolith.Standalone.CommandLine;

return await MonolithCommandLine.RunAsync(args, Console.Out, Console.Error);
