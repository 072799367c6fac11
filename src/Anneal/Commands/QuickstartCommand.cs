using System.CommandLine;
using System.Text.Json.Nodes;
using Anneal.Cli.Terminal;
using Anneal.Client;
using Anneal.Server;
using Anneal.Server.Http;
using Anneal.Server.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Anneal.Cli.Commands;

/// <summary>
/// <c>anneal quickstart</c>: the whole way once, with everything that a user would do over HTTP: server, files, job, tuned model, and a
/// comparison on tickets that neither model has seen.
/// </summary>
internal static class QuickstartCommand
{
    private const int Seed = 1;
    private const int TicketsShown = 3;

    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        Option<string?> data = ServeCommand.DataOption("Keep everything in this folder. Default a temporary one.");
        Option<bool> json = Verb.Json();
        return Verb.Of("quickstart", "Tune the bundled model on sample tickets and see the difference.", shell, async (parsed, cancellation) =>
        {
            string samples = FindSamples();
            string folder = parsed.GetValue(data) is string given
                ? Path.GetFullPath(given)
                : Directory.CreateTempSubdirectory("anneal-quickstart-").FullName;

            // With --json, standard output is for the program that asked; people may still watch standard error.
            Shell stage = parsed.GetValue(json) ? shell.OnError() : shell;
            long began = shell.Time.GetTimestamp();
            (string model, List<Ticket> tickets) = await PlayAsync(stage, folder, samples, cancellation);
            double seconds = shell.Time.GetElapsedTime(began).TotalSeconds;
            Report(stage, tickets, model, folder, seconds);
            if (parsed.GetValue(json))
            {
                shell.Out.WriteLine(new JsonObject
                {
                    ["base_accuracy"] = TicketTest.Accuracy(tickets, ticket => ticket.Base),
                    ["tuned_accuracy"] = TicketTest.Accuracy(tickets, ticket => ticket.Tuned),
                    ["seconds"] = Math.Round(seconds, 1),
                    ["model"] = model,
                }.ToJsonString());
            }

            return Root.Done;
        }, data, json);
    }

    private static async Task<(string Model, List<Ticket> Tickets)> PlayAsync(
        Shell stage, string folder, string samples, CancellationToken cancellation)
    {
        await using WebApplication server = await ServeCommand.StartAsync(
            new ServerOptions { DataFolder = folder, Port = 0, Time = stage.Time }, cancellation);
        try
        {
            string url = AnnealServer.Url(server);
            stage.Line($"[bold]1[/]  A server listens on {url}");
            string key = await KeyAsync(server, cancellation);
            using var client = new AnnealClient(new AnnealClientOptions { BaseUrl = new Uri(url + "/v1"), ApiKey = key, Time = stage.Time });
            FineTuningJob job = await TuneAsync(stage, client, samples, cancellation);
            if (job.Status != JobStatus.Succeeded)
            {
                throw new InvalidDataException($"The job {job.Status}: {job.Error?.Message}");
            }

            List<Ticket> tickets = await TicketTest.ReadAsync(Path.Combine(samples, "support-test.jsonl"), cancellation);
            stage.Line($"[bold]3[/]  {tickets.Count} tickets that neither model has seen, asked of both");
            await TicketTest.AskAsync(client, tickets, ModelFolders.BundledId, (ticket, answer) => ticket.Base = answer, cancellation);
            await TicketTest.AskAsync(client, tickets, job.FineTunedModel!, (ticket, answer) => ticket.Tuned = answer, cancellation);
            return (job.FineTunedModel!, tickets);
        }
        finally
        {
            // Also after Ctrl-C: workers must not be left behind.
            await server.StopAsync(CancellationToken.None);
        }
    }

    private static async Task<FineTuningJob> TuneAsync(Shell stage, AnnealClient client, string samples, CancellationToken cancellation)
    {
        ApiFile training = await client.Files.CreateAsync(
            Path.Combine(samples, "support-train.jsonl"), FilePurpose.FineTune, null, cancellation);
        ApiFile validation = await client.Files.CreateAsync(
            Path.Combine(samples, "support-valid.jsonl"), FilePurpose.FineTune, null, cancellation);
        FineTuningJob job = await client.Jobs.CreateAsync(new CreateJobRequest
        {
            Model = ModelFolders.BundledId,
            TrainingFile = training.Id,
            ValidationFile = validation.Id,
            Suffix = "triage",
            Seed = Seed,
            Method = TrainingMethod.ForSupervised(new Hyperparameters { NEpochs = 3, BatchSize = 4 }),
        }, cancellation);
        stage.Line($"[bold]2[/]  {ModelFolders.BundledId} learns to triage support tickets: {training.Filename}, {Format.Bytes(training.Bytes)}");
        return await JobsWatchCommand.FollowBrieflyAsync(stage, client, job.Id, cancellation);
    }

    // The key of this start; of an earlier one when the folder was used before; else a new one.
    private static async Task<string> KeyAsync(WebApplication server, CancellationToken cancellation)
    {
        ApiKeys keys = server.Services.GetRequiredService<ApiKeys>();
        if (keys.CreatedKey is string created)
        {
            return created;
        }

        return File.Exists(keys.FirstKeyPath)
            ? (await File.ReadAllTextAsync(keys.FirstKeyPath, cancellation)).Trim()
            : (await keys.CreateAsync("quickstart", cancellation)).Secret;
    }

    // Beside the program, or in a folder above it, where the repository keeps them.
    private static string FindSamples()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "samples");
            if (File.Exists(Path.Combine(folder, "support-train.jsonl")))
            {
                return folder;
            }
        }

        throw new DirectoryNotFoundException("The folder samples with support-train.jsonl is neither beside the program nor above it.");
    }

    private static void Report(Shell stage, List<Ticket> tickets, string model, string folder, double seconds)
    {
        TextWriter text = stage.Out;
        text.WriteLine();
        text.WriteLine($"Tickets answered right, all fields of the JSON ({Format.Duration(TimeSpan.FromSeconds(seconds))} in all):");
        text.WriteLine($"  base   {Share(tickets, ticket => ticket.Base)}  {ModelFolders.BundledId}");
        text.WriteLine($"  tuned  {Share(tickets, ticket => ticket.Tuned)}  {model}");
        foreach (Ticket ticket in tickets.Take(TicketsShown))
        {
            text.WriteLine();
            Wrapped(stage, "ticket", ticket.Question);
            Wrapped(stage, "base", ticket.Base);
            Wrapped(stage, "tuned", ticket.Tuned);
            if (!TicketTest.IsRight(ticket, ticket.Tuned))
            {
                Wrapped(stage, "right", ticket.Expected);
            }
        }

        string anneal = stage.Command;
        text.WriteLine();
        text.WriteLine("Go on:");
        text.WriteLine($"  {anneal} serve --data {folder}");
        text.WriteLine("  # in another terminal, with what that prints as OPENAI_BASE_URL and OPENAI_API_KEY");
        text.WriteLine($"  {anneal} chat --model {model}");
        text.WriteLine($"  {anneal} data check your.jsonl");
        text.WriteLine($"  {anneal} jobs create --model {ModelFolders.BundledId} --training-file your.jsonl --watch");
    }

    private static string Share(List<Ticket> tickets, Func<Ticket, string> answer)
    {
        int right = tickets.Count(ticket => TicketTest.IsRight(ticket, answer(ticket)));
        return $"{right,3} of {tickets.Count}  {Format.Percent((double)right / tickets.Count),6}";
    }

    // A name in a column of its own, the text beside it on as many lines as it needs.
    private static void Wrapped(Shell stage, string name, string text)
    {
        int width = stage.Columns - 10;
        string prefix = $"  {name,-7}";
        foreach (string line in Words.Wrap(text.ReplaceLineEndings(" "), Math.Max(20, width)))
        {
            stage.Out.WriteLine(prefix + line);
            prefix = new string(' ', prefix.Length);
        }
    }
}
