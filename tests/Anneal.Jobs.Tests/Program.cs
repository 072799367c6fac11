using Anneal.Jobs.Tests.Sqlite;
using Xunit.Runner.InProc.SystemConsole;

// The test program is also the process that the kill tests start and kill.
return args is ["write-until-killed", string folder]
    ? await DoomedWriter.RunAsync(folder)
    : await ConsoleRunner.Run(args);
