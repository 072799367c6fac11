using System.Diagnostics;

namespace Anneal.Api.Tests.Cli;

/// <summary>The script <c>anneal</c> in a small copy of the repository, with a stand-in for the SDK that notes what it is asked.</summary>
public sealed class LauncherTests : IDisposable
{
    // Builds as the real one does: takes a moment, then makes the assembly. Runs it by printing its arguments.
    private const string Sdk = """
        #!/usr/bin/env bash
        case "$1" in
          --list-sdks) [ -e "$HOME/no-sdk" ] || echo "10.0.100 [/sdk]" ;;
          --version) echo 9.0.100 ;;
          build)
            echo built >> "$HOME/builds"
            echo "error CS0000: from the compiler"
            [ ! -e "$HOME/broken" ] || exit 1
            sleep 0.3
            for argument in "$@"; do case "$argument" in -p:ArtifactsPath=*) out="${argument#*=}" ;; esac; done
            mkdir -p "$out/bin/Anneal/release" && touch "$out/bin/Anneal/release/Anneal.dll" ;;
          *) shift; printf 'ran'; printf ' <%s>' "$@"; echo ;;
        esac
        """;

    private readonly string _home = Directory.CreateTempSubdirectory("anneal-launcher-").FullName;
    private readonly string _repository;

    public LauncherTests()
    {
        _repository = Path.Combine(_home, "repository with a space");
        Directory.CreateDirectory(Path.Combine(_repository, "src", "Anneal"));
        Directory.CreateDirectory(Path.Combine(_home, "bin"));
        File.Copy(Path.Combine(HelpTests.Root_(), "anneal"), Path.Combine(_repository, "anneal"));
        File.WriteAllText(Path.Combine(_repository, "src", "Anneal", "Program.cs"), "");
        string sdk = Path.Combine(_home, "bin", "dotnet");
        File.WriteAllText(sdk, Sdk);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(sdk, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private int Builds => File.Exists(Path.Combine(_home, "builds")) ? File.ReadAllLines(Path.Combine(_home, "builds")).Length : 0;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public async Task It_builds_once_quietly_and_passes_every_argument_on()
    {
        Assert.Equal(new Ran(0, "ran <chat> <two words> <*>\n", ""), await RunAsync("chat", "two words", "*"));
        Assert.Equal(new Ran(0, "ran <models>\n", ""), await RunAsync("models"));
        Assert.Equal(1, Builds);
    }

    [Fact]
    public async Task It_builds_again_when_a_source_was_changed_added_or_deleted()
    {
        await RunAsync();
        string source = Path.Combine(_repository, "src", "Anneal", "Program.cs");
        File.SetLastWriteTimeUtc(source, DateTime.UnixEpoch.AddYears(90));
        await RunAsync();
        Assert.Equal(2, Builds);
        File.SetLastWriteTimeUtc(source, DateTime.UnixEpoch.AddYears(50));
        await RunAsync();
        Assert.Equal(2, Builds);
        await File.WriteAllTextAsync(Path.Combine(_repository, "src", "Anneal", "New.cs"), "");
        await RunAsync();
        Assert.Equal(3, Builds);
        File.Delete(Path.Combine(_repository, "src", "Anneal", "New.cs"));
        await RunAsync();
        Assert.Equal(4, Builds);
        await RunAsync();
        Assert.Equal(4, Builds);
    }

    [Fact]
    public async Task Two_at_once_build_once()
    {
        Ran[] both = await Task.WhenAll(RunAsync("a"), RunAsync("b"), RunAsync("c"));
        Assert.All(both, ran => Assert.Equal(0, ran.Code));
        Assert.Equal(1, Builds);
    }

    [Fact]
    public async Task A_build_that_fails_shows_what_the_compiler_said_and_is_tried_again()
    {
        string broken = Path.Combine(_home, "broken");
        await File.WriteAllTextAsync(broken, "");
        Ran failed = await RunAsync();
        Assert.Equal((1, ""), (failed.Code, failed.Out));
        Assert.Contains("from the compiler", failed.Error);
        Assert.Contains("anneal: the build failed", failed.Error);
        File.Delete(broken);
        Assert.Equal(0, (await RunAsync()).Code);
    }

    [Fact]
    public async Task Without_the_SDK_it_says_in_one_line_what_to_install()
    {
        await File.WriteAllTextAsync(Path.Combine(_home, "no-sdk"), "");
        Ran old = await RunAsync();
        Assert.Equal(1, old.Code);
        Assert.StartsWith("anneal: needs the .NET 10 SDK (found: 9.0.100): install it from https://", old.Error);
        Assert.Single(old.Error.TrimEnd('\n').Split('\n'));

        File.Delete(Path.Combine(_home, "bin", "dotnet"));
        Ran none = await RunAsync();
        Assert.Equal(1, none.Code);
        Assert.StartsWith("anneal: needs the .NET 10 SDK: install it from https://", none.Error);
        Assert.Single(none.Error.TrimEnd('\n').Split('\n'));
    }

    private async Task<Ran> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/bash")
        {
            WorkingDirectory = _home,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(_repository, "anneal"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["HOME"] = _home;
        start.Environment["DOTNET_ROOT"] = "";
        start.Environment["PATH"] = $"{Path.Combine(_home, "bin")}:{Tools()}";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Ran(process.ExitCode, output, await error);
    }

    // The shell's tools without any real SDK that may lie beside them.
    private string Tools()
    {
        string tools = Path.Combine(_home, "tools");
        if (!Directory.Exists(tools))
        {
            Directory.CreateDirectory(tools);
            string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
            foreach (string tool in (string[])["bash", "env", "find", "head", "flock", "grep", "mkdir", "touch", "mv", "cat", "sleep", "readlink", "rm", "kill"])
            {
                if (folders.Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists) is string path)
                {
                    File.CreateSymbolicLink(Path.Combine(tools, tool), path);
                }
            }
        }

        return tools;
    }
}
