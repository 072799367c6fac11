using Anneal.Cli.Terminal;
using Anneal.Client;

namespace Anneal.Api.Tests.Cli;

/// <summary>What is drawn on a terminal, at 80 columns.</summary>
public sealed class ScreenTests
{
    [Fact]
    public void A_job_on_the_screen()
    {
        DateTimeOffset now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
        var clock = new ManualClock(now);
        var view = new JobView(clock);
        view.Update(Update(JobStatus.Running, [Message("Fine-tuning job started"), .. Steps(1, 40)]));
        Golden.Check("job-begins.txt", Shell.Plain(view.Render(80), 80));
        clock.Now += TimeSpan.FromSeconds(10);
        view.Update(Update(JobStatus.Running, [.. Steps(41, 140)]));
        string running = Shell.Plain(view.Render(80), 80);
        Golden.Check("job-running.txt", running);
        Golden.Fits(running);
        clock.Now += TimeSpan.FromSeconds(30);
        view.Update(Update(JobStatus.Succeeded, [.. Steps(141, 420), Message("The job has successfully completed")]));
        Golden.Check("job-succeeded.txt", Shell.Plain(view.Render(80), 80));
    }

    [Fact]
    public void A_job_that_waits_has_no_bar()
    {
        var view = new JobView(TimeProvider.System);
        view.Update(Update(JobStatus.Queued, [Message("Files validated, moving job to queued state")]));
        Golden.Check("job-queued.txt", Shell.Plain(view.Render(80), 80));
    }

    [Theory]
    [InlineData(new double[0], 10, "")]
    [InlineData(new double[] { 1 }, 10, "▁")]
    [InlineData(new double[] { 1, 1, 1 }, 10, "▁▁▁")]
    [InlineData(new double[] { 0, 1, 2, 3, 4, 5, 6, 7 }, 8, "▁▂▃▄▅▆▇█")]
    [InlineData(new double[] { 0, 0, 7, 7 }, 2, "▁█")]
    public void A_sparkline_spans_its_values(double[] values, int columns, string expected) =>
        Assert.Equal(expected, Sparkline.Of(values, columns));

    [Theory]
    [InlineData(0, "0:00")]
    [InlineData(6.2, "0:07")]
    [InlineData(59.5, "1:00")]
    [InlineData(3725, "1:02:05")]
    public void Durations_are_rounded_up(double seconds, string expected) =>
        Assert.Equal(expected, Format.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(812, "812 B")]
    [InlineData(1234, "1.2 kB")]
    [InlineData(45_600_000, "45.6 MB")]
    [InlineData(123_000_000_000, "123 GB")]
    public void Sizes_have_three_figures(long bytes, string expected) => Assert.Equal(expected, Format.Bytes(bytes));

    private static JobUpdate Update(JobStatus status, IReadOnlyList<JobEvent> news) => new(
        new FineTuningJob
        {
            Id = "ftjob-abcdefghijklmnopqrstuvwx",
            CreatedAt = DateTimeOffset.UnixEpoch,
            Model = "anneal-nano",
            Status = status,
            TrainingFile = "file-1",
        }, news);

    private static JobEvent Message(string text) => new()
    {
        Id = "ftevent-" + text.Length,
        CreatedAt = DateTimeOffset.UnixEpoch,
        Level = JobEventLevel.Info,
        Message = text,
        Type = "message",
    };

    private static IEnumerable<JobEvent> Steps(int from, int to) => Enumerable.Range(from, to - from + 1).Select(step => Message("") with
    {
        Type = "metrics",
        Data = System.Text.Json.JsonDocument.Parse(FormattableString.Invariant(
            $"{{\"step\":{step},\"total_steps\":420,\"train_loss\":{2.5 * Math.Exp(-step / 100.0) + 0.02:0.0000},\"tokens_per_second\":1842.4,\"valid_loss\":0.31}}"))
            .RootElement,
    });

    private sealed class ManualClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
