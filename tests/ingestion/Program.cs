using Monolith.Ingestion.Tests;
using Monolith.Ingestion.Tests.Joining;

// A test that kills a process needs one of its own: this same program, told to be the child.
return args switch
{
    ["joiner-child", ..] => await JoinerChild.RunAsync(args),
    _ when args.Any(a => a is "--server" or "--internal-msbuild-node") =>
        await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};
