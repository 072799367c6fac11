using Anneal.Api.Tests.Runs;
using Anneal.Server.Runs;
using Xunit.Runner.InProc.SystemConsole;

// The test program is also the worker and the server that the tests of running jobs start and kill.
return args switch
{
    ["worker", "--run", string run] => await WorkerMain.RunAsync(run, Console.In, Console.Error, TimeProvider.System),
    ["serve", string data, string port] => await DoomedServer.RunAsync(data, int.Parse(port)),
    _ => await ConsoleRunner.Run(args),
};
