using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Anneal.Api.Tests.Cli;

/// <summary>What the README promises, done as it says.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("anneal-readme-").FullName;

    public ReadmeTests()
    {
        // A place that looks like the repository, where nothing is left behind.
        foreach (string shared in (string[])["models", "samples"])
        {
            Directory.CreateSymbolicLink(Path.Combine(_folder, shared), Path.Combine(HelpTests.Root_(), shared));
        }

        string launcher = Path.Combine(_folder, "anneal");
        File.WriteAllText(launcher, $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "Anneal.dll")}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(launcher, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_quick_start_teaches_the_bundled_model_what_it_could_not_do()
    {
        string model = Path.Combine(HelpTests.Root_(), "models", "anneal-nano");
        Assert.SkipUnless(Directory.Exists(model), "models/anneal-nano is not there; tools/nano/README.md tells how to make it.");
        string data = Path.Combine(_folder, "mydata");
        await using CliProcess quickstart = CliProcess.Start("quickstart", "--data", data, "--json");
        Ran ran = await quickstart.EndAsync();
        Assert.True(ran.Code == 0, ran.Error);
        JsonObject result = JsonNode.Parse(ran.Lines[^1])!.AsObject();
        Assert.Equal(["base_accuracy", "tuned_accuracy", "seconds", "model"], result.Select(member => member.Key));
        Assert.InRange(result["base_accuracy"]!.GetValue<double>(), 0, 0.2);
        Assert.InRange(result["tuned_accuracy"]!.GetValue<double>(), 0.9, 1);
        Assert.StartsWith("ft:anneal-nano:", result["model"]!.GetValue<string>());
        Assert.Contains($"serve --data {data}", ran.Error);
        Assert.DoesNotContain('\u001b', ran.Error);
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task Every_command_of_the_README_works_in_its_order()
    {
        int port = FreePort();
        string text = (await File.ReadAllTextAsync(Path.Combine(HelpTests.Root_(), "README.md"))).Replace("8642", $"{port}", StringComparison.Ordinal);
        string[] blocks = [.. ShellBlock().Matches(text).Select(match => match.Groups[1].Value)];
        string serve = Assert.Single(blocks, block => block.StartsWith("./anneal serve", StringComparison.Ordinal));
        await using CliProcess server = CliProcess.Start(
            [.. HelpTests.Words(serve.Replace("mydata", Path.Combine(_folder, "mydata"), StringComparison.Ordinal).Trim())[1..], "--port", $"{port}"]);
        Assert.StartsWith("Anneal listens", await server.ReadLineAsync());
        string script = "set -euxo pipefail\n" + string.Concat(
            blocks.Where(block => block != serve && !block.Contains("quickstart", StringComparison.Ordinal)));
        Ran ran = await BashAsync(script);
        Assert.True(ran.Code == 0, ran.Error);
        Assert.Contains("Tuned model: ft:anneal-nano:", ran.Out);
        Assert.True(File.Exists(Path.Combine(_folder, "triage-adapter", "adapter_model.safetensors")));
    }

    private async Task<Ran> BashAsync(string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", script])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Ran(process.ExitCode, output, await error);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [GeneratedRegex(@"^```sh\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ShellBlock();
}
