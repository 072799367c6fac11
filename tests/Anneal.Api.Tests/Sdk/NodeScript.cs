using System.ComponentModel;
using System.Diagnostics;

namespace Anneal.Api.Tests.Sdk;

/// <summary>Runs a script of <c>tests/node</c>, which drives a server with the official npm package, as a child process.</summary>
internal static class NodeScript
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(5);

    /// <summary>Runs it to its end; anything but exit code 0 fails the test with what the script printed.</summary>
    public static async Task RunAsync(TestServer server, string script, params (string Name, string Value)[] environment)
    {
        string folder = Folder();
        Assert.True(
            Directory.Exists(Path.Combine(folder, "node_modules", "openai")),
            "The npm package openai is not installed. Run './test', or 'npm ci' in tests/node.");
        ProcessStartInfo start = new("node", [Path.Combine(folder, script)])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OPENAI_BASE_URL"] = server.Url + "/v1";
        start.Environment["OPENAI_API_KEY"] = server.Key;
        start.Environment["ANNEAL_TEST_MODEL"] = TestServer.BaseModel;
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        using Process process = Start(start);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using CancellationTokenSource late = new(TimeMax);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
        Assert.True(process.HasExited && process.ExitCode == 0, $"{script} failed:\n{await output}\n{await errors}");
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException("Node.js is needed for this test, and the command 'node' was not found.", missing);
        }
    }

    private static string Folder()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "tests", "node");
            if (File.Exists(Path.Combine(folder, "package.json")))
            {
                return folder;
            }
        }
        throw new DirectoryNotFoundException("tests/node is not in a folder above the test program.");
    }
}
