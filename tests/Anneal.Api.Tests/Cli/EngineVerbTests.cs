using System.Text.Json.Nodes;

namespace Anneal.Api.Tests.Cli;

/// <summary>The verbs that need no server, on a tiny model.</summary>
public sealed class EngineVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("anneal-cli-").FullName;
    private readonly string _model = TestServer.Fixture("models", TestServer.BaseModel);
    private readonly string _data;

    public EngineVerbTests()
    {
        _data = Path.Combine(_folder, "data.jsonl");
        File.WriteAllBytes(_data, Requests.TrainingFile());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Tokenize_shows_text_ids_and_weights()
    {
        Ran ran = await CommandLine.RunAsync("tokenize", "--model", _model, "--data", _data, "--json");
        Assert.Equal((0, ""), (ran.Code, ran.Error));
        Assert.Equal(12, ran.Lines.Length);
        JsonNode first = JsonNode.Parse(ran.Lines[0])!;
        Assert.Equal(["rendered", "ids", "weights"], first.AsObject().Select(member => member.Key));
        Assert.Contains("What is 0 plus 1?", first["rendered"]!.GetValue<string>());
        Assert.Equal(first["ids"]!.AsArray().Count, first["weights"]!.AsArray().Count);
        double[] weights = [.. first["weights"]!.AsArray().Select(weight => weight!.GetValue<double>())];
        Assert.Equal(0, weights[0]);
        Assert.Contains(1, weights);
    }

    [Fact]
    public async Task Tokenize_marks_what_is_trained_without_colours_too()
    {
        Ran plain = await CommandLine.RunAsync("tokenize", "--model", _model, "--data", _data);
        Assert.Contains("⟦", plain.Out);
        Assert.DoesNotContain('\u001b', plain.Out);
        Ran coloured = await CommandLine.RunAsync([], ["tokenize", "--model", _model, "--data", _data], terminal: true);
        Assert.Contains('\u001b', coloured.Out);
        Assert.DoesNotContain("⟦", coloured.Out);
        Ran monochrome = await CommandLine.RunAsync(
            new() { ["NO_COLOR"] = "1" }, ["tokenize", "--model", _model, "--data", _data], terminal: true);
        Assert.Contains("⟦", monochrome.Out);
    }

    [Fact]
    public async Task Training_lowers_the_loss_that_score_finds_and_goes_on_from_an_adapter()
    {
        string adapter = Path.Combine(_folder, "adapter");
        Ran trained = await CommandLine.RunAsync(
            "train", "--model", _model, "--data", _data, "--validation", _data, "--out", adapter, "--rank", "4", "--alpha", "8", "--targets",
            "q_proj,v_proj", "--dropout", "0", "--epochs", "2", "--batch-size", "4", "--learning-rate", "1e-2", "--schedule", "cosine",
            "--warmup-steps", "1", "--weight-decay", "0.01", "--clip", "1", "--max-length", "64", "--seed", "3", "--precision", "fp32",
            "--threads", "1", "--memory", "1", "--json");
        Assert.Equal((0, ""), (trained.Code, trained.Error));
        Assert.Equal(6, trained.Lines.Length);
        JsonObject step = JsonNode.Parse(trained.Lines[0])!.AsObject();
        Assert.Equal(
            ["step", "total_steps", "loss", "grad_norm", "learning_rate", "tokens", "trained_tokens", "tokens_per_second"],
            step.Select(member => member.Key));
        Assert.Equal(6, step["total_steps"]!.GetValue<int>());
        Assert.True(JsonNode.Parse(trained.Lines[2])!.AsObject().ContainsKey("valid_loss"));
        Assert.True(File.Exists(Path.Combine(adapter, "adapter_model.safetensors")));

        double before = await LossAsync();
        double after = await LossAsync("--adapter", adapter);
        Assert.True(after < before, $"{after} is not below {before}");

        string further = Path.Combine(_folder, "further");
        Ran more = await CommandLine.RunAsync(
            "train", "--model", _model, "--data", _data, "--out", further, "--adapter", adapter, "--epochs", "2", "--learning-rate", "1e-2");
        Assert.Equal(0, more.Code);
        Assert.Equal($"Saved the adapter to {further}", more.Lines[^1]);
        Assert.True(await LossAsync("--adapter", further) < after);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_bytes()
    {
        async Task<byte[]> TrainAsync(string name)
        {
            string target = Path.Combine(_folder, name);
            Ran ran = await CommandLine.RunAsync(
                "train", "--model", _model, "--data", _data, "--out", target, "--epochs", "1", "--batch-size", "3", "--seed", "5", "--dropout", "0.1");
            Assert.Equal(0, ran.Code);
            return await File.ReadAllBytesAsync(Path.Combine(target, "adapter_model.safetensors"));
        }

        Assert.Equal(await TrainAsync("one"), await TrainAsync("two"));
    }

    [Fact]
    public async Task A_fully_trained_model_is_a_model_folder()
    {
        string target = Path.Combine(_folder, "whole");
        Ran ran = await CommandLine.RunAsync(
            "train", "--model", _model, "--data", _data, "--out", target, "--full", "--epochs", "1", "--learning-rate", "1e-3");
        Assert.Equal(0, ran.Code);
        Assert.Equal($"Saved the model to {target}", ran.Lines[^1]);
        Ran scored = await CommandLine.RunAsync("score", "--model", target, "--data", _data);
        Assert.Equal(0, scored.Code);
        Assert.Matches(@"^loss \d\.\d+, token accuracy \d+ %, over \d+ trained tokens of 12 examples\n$", scored.Out);
    }

    [Fact]
    public async Task Score_tells_each_token_and_their_weighted_mean()
    {
        Ran ran = await CommandLine.RunAsync("score", "--model", _model, "--data", _data, "--json");
        JsonObject result = JsonNode.Parse(ran.Out)!.AsObject();
        Assert.Equal(["loss", "token_accuracy", "trained_tokens", "examples"], result.Select(member => member.Key));
        double sum = 0;
        double weights = 0;
        foreach (JsonNode? example in result["examples"]!.AsArray())
        {
            Assert.Equal(["ids", "logprobs", "weights"], example!.AsObject().Select(member => member.Key));
            double[] logprobs = [.. example["logprobs"]!.AsArray().Select(value => value!.GetValue<double>())];
            double[] weight = [.. example["weights"]!.AsArray().Select(value => value!.GetValue<double>())];
            sum -= logprobs.Zip(weight, (l, w) => l * w).Sum();
            weights += weight.Sum();
        }

        Assert.Equal(sum / weights, result["loss"]!.GetValue<double>(), 1e-6);
        Assert.Equal(weights, result["trained_tokens"]!.GetValue<int>());
    }

    [Fact]
    public async Task Data_check_lists_every_fault_with_its_line()
    {
        string bad = Path.Combine(_folder, "bad.jsonl");
        await File.WriteAllTextAsync(bad, """
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}
            not json
            {"messages":[{"content":"a"},{"role":"assistant","content":"b"}]}
            {"messages":[{"role":"user","content":"a"}]}
            """);
        Ran ran = await CommandLine.RunAsync("data", "check", bad, "--model", _model);
        Assert.Equal(1, ran.Code);
        Assert.Contains("line 2", ran.Out);
        Assert.Contains("line 3", ran.Out);
        Assert.Contains("line 4", ran.Out);
        Ran json = await CommandLine.RunAsync("data", "check", bad, "--model", _model, "--json");
        JsonNode report = JsonNode.Parse(json.Out)!;
        Assert.Equal([2, 3, 4], report["faults"]!.AsArray().Select(fault => fault!["line"]!.GetValue<int>()).Where(line => line > 0).Distinct());
        Assert.Equal(1, report["examples"]!.GetValue<int>());

        Ran good = await CommandLine.RunAsync("data", "check", _data, "--model", _model);
        Assert.Equal(0, good.Code);
        Assert.Contains("12 examples, no faults", good.Out);
    }

    [Fact]
    public async Task Faults_of_data_and_models_are_one_line_that_names_them()
    {
        string bad = Path.Combine(_folder, "bad.jsonl");
        await File.WriteAllTextAsync(bad, "{}\n");
        foreach ((string[] line, string part) in ((string[], string)[])
        [
            (["score", "--model", _model, "--data", bad], "line 1"),
            (["score", "--model", _model, "--data", Path.Combine(_folder, "none.jsonl")], "none.jsonl"),
            (["score", "--model", Path.Combine(_folder, "no-model"), "--data", _data], "no-model"),
            (["train", "--model", _model, "--data", _data, "--out", _folder], "is not empty"),
            (["train", "--model", _model, "--data", _data, "--out", Path.Combine(_folder, "o"), "--memory", "0.0001"], "GB"),
            (["keys", "list", "--data", Path.Combine(_folder, "nothing")], "nothing"),
        ])
        {
            Ran ran = await CommandLine.RunAsync(line);
            Assert.Equal(1, ran.Code);
            Assert.StartsWith("anneal: ", ran.Error);
            Assert.Contains(part, ran.Error);
            Assert.Single(ran.Error.TrimEnd('\n').Split('\n'));
        }
    }

    [Fact]
    public async Task Bench_reports_speed_and_share_of_the_peak()
    {
        Ran ran = await CommandLine.RunAsync(
            "bench", "--model", _model, "--method", "lora", "--seq", "16", "--batch", "2", "--precision", "fp32", "--steps", "2", "--warmup", "1",
            "--rank", "2", "--json");
        Assert.Equal((0, ""), (ran.Code, ran.Error));
        JsonNode result = JsonNode.Parse(ran.Out)!;
        Assert.All(
            (string[])["tokens_per_second", "gflops", "peak_gflops", "share_of_peak", "peak_memory_bytes"],
            name => Assert.True(result[name]!.GetValue<double>() > 0, name));
    }

    private async Task<double> LossAsync(params string[] more)
    {
        Ran ran = await CommandLine.RunAsync(["score", "--model", _model, "--data", _data, "--json", .. more]);
        Assert.Equal((0, ""), (ran.Code, ran.Error));
        return JsonNode.Parse(ran.Out)!["loss"]!.GetValue<double>();
    }
}
