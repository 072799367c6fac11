using Anneal.Jobs.Launch;

namespace Anneal.Jobs.Tests.Launch;

public sealed class LocalProcessLauncherTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("anneal-launch-").FullName;

    private readonly Run _run = new()
    {
        Id = "run-1",
        JobId = "ftjob-1",
        Fence = 1,
        ClaimedAt = DateTimeOffset.UnixEpoch,
        LeaseExpiresAt = DateTimeOffset.UnixEpoch,
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_worker_gets_the_url_and_the_token_in_its_environment_and_the_run_in_its_arguments()
    {
        using IWorker worker = Launch("""echo "$1 $2 $ANNEAL_SERVER_URL $ANNEAL_RUN_TOKEN"; exit 3""");
        Assert.StartsWith("exit code 3; last output: --run run-1 http://here secret-1", await Exit(worker), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_workers_output_is_kept_and_a_stack_trace_does_not_hide_the_error()
    {
        using IWorker worker = Launch("echo hello; echo 'Unhandled exception. Out of luck.' >&2; echo '   at Some.Method()' >&2; exit 1");
        Assert.Equal("exit code 1; last output: Unhandled exception. Out of luck.", await Exit(worker));
        worker.Dispose();
        string log = await File.ReadAllTextAsync(Path.Combine(_folder, "logs", "run-1.log"));
        Assert.Contains("hello\n", log, StringComparison.Ordinal);
        Assert.Contains("   at Some.Method()\n", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_is_asked_to_stop_on_its_standard_input()
    {
        using IWorker worker = Launch("echo ready; read line; echo \"got $line\"; exit 0");
        worker.RequestStop();
        Assert.Equal("exit code 0; last output: got stop", await Exit(worker));
        worker.RequestStop();
    }

    [Fact]
    public async Task A_killed_worker_is_gone_with_its_children()
    {
        using IWorker worker = Launch("sleep 1000 & echo $!; wait");
        string log = Path.Combine(_folder, "logs", "run-1.log");
        string? line;
        while ((line = File.Exists(log) ? (await ReadSharedAsync(log)).Split('\n')[0] : null) is null or "")
        {
            await Task.Delay(10);
        }

        worker.Kill();
        Assert.StartsWith("signal 9", await Exit(worker), StringComparison.Ordinal);
        int child = int.Parse(line.Split(' ')[^1]);
        for (int i = 0; i < 100 && IsAlive(child); i++)
        {
            await Task.Delay(20);
        }

        Assert.False(IsAlive(child));
    }

    [Fact]
    public void A_program_that_is_not_there_is_named()
    {
        LocalProcessLauncher launcher = Launcher(["/no/such/anneal", "worker"]);
        LaunchException e = Assert.Throws<LaunchException>(() => launcher.Launch(_run, "secret"));
        Assert.Contains("/no/such/anneal", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_keeps_the_newest_lines_within_its_limit()
    {
        string path = Path.Combine(_folder, "bounded.log");
        using (BoundedLog log = new(path, 10_000, TimeProvider.System))
        {
            for (int i = 0; i < 2000; i++)
            {
                log.WriteLine($"line {i}", isError: true);
            }

            Assert.Equal("line 1999", log.LastLine);
        }

        string kept = await File.ReadAllTextAsync(path + ".1") + await File.ReadAllTextAsync(path);
        Assert.InRange(kept.Length, 5_000, 10_000);
        Assert.EndsWith("line 1999\n", kept, StringComparison.Ordinal);
        Assert.DoesNotContain("line 3\n", kept, StringComparison.Ordinal);
    }

    private static bool IsAlive(int process)
    {
        // A zombie is dead: the kernel keeps only its exit status.
        string stat = $"/proc/{process}/stat";
        return File.Exists(stat) && !File.ReadAllText(stat).Contains(") Z ", StringComparison.Ordinal);
    }

    private static async Task<string> ReadSharedAsync(string path)
    {
        await using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(stream);
        return await reader.ReadToEndAsync();
    }

    private static Task<string> Exit(IWorker worker) => worker.Exited.WaitAsync(TimeSpan.FromSeconds(30));

    private IWorker Launch(string script) => Launcher(["/bin/sh", "-c", script, "worker"]).Launch(_run, "secret-1");

    private LocalProcessLauncher Launcher(IReadOnlyList<string> command) => new(
        new LocalProcessOptions
        {
            Command = command,
            ServerUrl = () => "http://here",
            LogFolder = Path.Combine(_folder, "logs"),
        },
        TimeProvider.System);
}
