using System.Text.Json.Nodes;
using Anneal.Api.Tests.Jobs;

namespace Anneal.Api.Tests.Cli;

/// <summary>The verbs that speak to a server, against a real one.</summary>
public sealed class ClientVerbTests
{
    [Fact]
    public async Task Files_go_up_are_listed_come_back_and_are_deleted()
    {
        await using TestServer server = await TestServer.StartAsync();
        string path = Path.Combine(server.DataFolder, "tickets.jsonl");
        await File.WriteAllBytesAsync(path, Requests.TrainingFile());

        Ran created = await CommandLine.RunAsync(server, "files", "create", path, "--json");
        Assert.Equal((0, ""), (created.Code, created.Error));
        string id = JsonNode.Parse(created.Out)!["id"]!.GetValue<string>();
        Assert.Equal("fine-tune", JsonNode.Parse(created.Out)!["purpose"]!.GetValue<string>());

        Ran list = await CommandLine.RunAsync(server, "files", "list");
        Assert.Equal(2, list.Lines.Length);
        Assert.Matches(@"^ID +CREATED +SIZE +NAME$", list.Lines[0]);
        Assert.Matches($@"^{id} +\w{{3}} \d\d \d\d:\d\d +1\.\d kB +tickets\.jsonl$", list.Lines[1]);
        Golden.Fits(list.Out);

        Ran content = await CommandLine.RunAsync(server, "files", "content", id);
        Assert.Equal(await File.ReadAllTextAsync(path), content.Out);

        Ran deleted = await CommandLine.RunAsync(server, "files", "delete", id);
        Assert.Equal((0, $"{id} is deleted.\n"), (deleted.Code, deleted.Out));
        Ran gone = await CommandLine.RunAsync(server, "files", "retrieve", id);
        Assert.Equal((1, "", $"anneal: No such File object: {id} (id)\n"), (gone.Code, gone.Out, gone.Error));
    }

    [Fact]
    public async Task An_empty_list_says_what_to_do_on_standard_error()
    {
        await using TestServer server = await TestServer.StartAsync();
        Ran list = await CommandLine.RunAsync(server, "jobs", "list");
        Assert.Equal((0, ""), (list.Code, list.Out));
        Assert.Equal("No jobs. Create one with: anneal jobs create\n", list.Error);
    }

    [Fact]
    public async Task A_job_is_created_from_a_local_file_with_what_was_asked_for()
    {
        await using TestServer server = await TestServer.StartAsync();
        string path = Path.Combine(server.DataFolder, "train.jsonl");
        await File.WriteAllBytesAsync(path, Requests.TrainingFile());
        Ran created = await CommandLine.RunAsync(
            server, "jobs", "create", "--model", TestServer.BaseModel, "--training-file", path, "--suffix", "triage", "--seed", "7",
            "--epochs", "2", "--batch-size", "auto", "--metadata", "team=support", "--metadata", "try=1", "--json");
        Assert.Equal(0, created.Code);
        Assert.StartsWith("Uploaded train.jsonl as file-", created.Error);
        JsonNode job = JsonNode.Parse(created.Out)!;
        Assert.Equal(7, job["seed"]!.GetValue<int>());
        Assert.Equal(2, job["hyperparameters"]!["n_epochs"]!.GetValue<int>());
        Assert.Equal("auto", job["hyperparameters"]!["batch_size"]!.GetValue<string>());
        Assert.Equal("support", job["metadata"]!["team"]!.GetValue<string>());

        string id = job["id"]!.GetValue<string>();
        Ran filtered = await CommandLine.RunAsync(server, "jobs", "list", "--metadata", "try=1");
        Assert.StartsWith(id, filtered.Lines[1]);
        Ran none = await CommandLine.RunAsync(server, "jobs", "list", "--metadata", "try=2");
        Assert.Empty(none.Out);

        Ran cancelled = await CommandLine.RunAsync(server, "jobs", "cancel", id);
        Assert.Equal(0, cancelled.Code);
        Assert.Contains("status           cancelled\n", cancelled.Out);
        Ran again = await CommandLine.RunAsync(server, "jobs", "cancel", id);
        Assert.Equal(1, again.Code);
        Assert.StartsWith("anneal: ", again.Error);
        Assert.Single(again.Error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Watching_a_job_tells_every_event_once_in_order_and_then_the_model()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await SucceededAsync(server);
        Ran watched = await CommandLine.RunAsync(server, "jobs", "watch", id);
        Assert.Equal(0, watched.Code);
        Assert.Contains("Created fine-tuning job: " + id, watched.Lines[0]);
        Assert.StartsWith("Tuned model: ft:", watched.Lines[^1]);
        Assert.Equal(watched.Lines.Length, watched.Lines.Distinct().Count());

        Ran json = await CommandLine.RunAsync(server, "jobs", "watch", id, "--json");
        Assert.Equal(watched.Lines.Length, json.Lines.Length);
        Assert.Equal("succeeded", JsonNode.Parse(json.Lines[^1])!["status"]!.GetValue<string>());

        Ran events = await CommandLine.RunAsync(server, "jobs", "events", id);
        Assert.Equal(watched.Lines[..^1], events.Lines);
    }

    [Fact]
    public async Task Checkpoints_and_models_are_listed_with_whole_names_when_a_program_reads()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await SucceededAsync(server);
        Ran checkpoints = await CommandLine.RunAsync(server, "jobs", "checkpoints", id);
        Assert.Matches(@"^ *STEP +LOSS +VALID LOSS +MODEL$", checkpoints.Lines[0]);
        Ran models = await CommandLine.RunAsync(server, "models", "list", "--tuned", "--quiet");
        Assert.All(models.Lines, name => Assert.StartsWith("ft:" + TestServer.BaseModel, name));
        Assert.All(checkpoints.Lines[1..], line => Assert.Contains(line.Split(' ')[^1], models.Lines));
        Assert.DoesNotContain('\u001b', checkpoints.Out + models.Out);
    }

    [Fact]
    public async Task Tables_fit_a_terminal_of_80_columns()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await SucceededAsync(server);
        Dictionary<string, string> variables = new(CommandLine.Variables(server)) { ["NO_COLOR"] = "1" };
        foreach ((string[] verb, string whole) in ((string[], string)[])
            [(["jobs", "list"], id), (["jobs", "checkpoints", id], "ft:"), (["models", "list"], TestServer.BaseModel), (["files", "list"], "file-")])
        {
            Ran ran = await CommandLine.RunAsync(variables, verb, terminal: true);
            Assert.Equal(0, ran.Code);
            string text = System.Text.RegularExpressions.Regex.Replace(ran.Out, "\u001b\\[[0-9;?]*[a-zA-Z]", "");
            Golden.Fits(text);
            Assert.Contains(whole, text);
        }
    }

    [Fact]
    public async Task A_wrong_key_and_a_server_that_is_not_there_are_one_line_each()
    {
        await using TestServer server = await TestServer.StartAsync();
        Dictionary<string, string> variables = CommandLine.Variables(server);
        variables["OPENAI_API_KEY"] = "sk-wrong";
        Ran denied = await CommandLine.RunAsync(variables, ["models", "list"]);
        Assert.Equal(1, denied.Code);
        Assert.StartsWith("anneal: Incorrect API key provided", denied.Error);
        Assert.EndsWith("OPENAI_API_KEY must be a key of this server.\n", denied.Error);

        variables["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1";
        Ran away = await CommandLine.RunAsync(variables, ["models", "list"]);
        Assert.Equal(1, away.Code);
        Assert.StartsWith("anneal: http://127.0.0.1:9/v1 cannot be reached", away.Error);
        Assert.Single(away.Error.TrimEnd('\n').Split('\n'));
    }

    private static async Task<string> SucceededAsync(TestServer server)
    {
        string id = await server.CreateJobAsync(suffix: "triage");
        await server.PlayToSuccessAsync(id);
        return id;
    }
}
