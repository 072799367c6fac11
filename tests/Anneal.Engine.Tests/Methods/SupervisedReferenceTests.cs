using System.Text.Json.Nodes;
using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Tensors;
using Anneal.Engine.Tests.Architectures;

namespace Anneal.Engine.Tests.Methods;

/// <summary>The supervised objective, PEFT's plain variants, optimizer runs and schedules against TRL, PEFT and torch.</summary>
public sealed class SupervisedReferenceTests
{
    [Theory]
    [InlineData("weighted_lora", true)]
    [InlineData("weighted_full", false)]
    [InlineData("masked_lora", true)]
    public void Weighted_losses_and_gradients_equal_those_of_trl(string variant, bool lora)
    {
        string folder = MethodsReference.Folder("sft");
        JsonNode expected = MethodsReference.Json(folder, variant + ".json");
        List<TokenizedExample> examples = MethodsReference.Data(MethodsReference.Json(folder, "data.json"), "batch");
        if (variant.StartsWith("masked", StringComparison.Ordinal))
        {
            examples = [.. examples.Select(e => e with { Weights = [.. e.Weights.Select(w => w == 1 ? 1f : 0f)] })];
        }

        string? adapter = lora ? MethodsReference.Folder("adapter") : null;
        AssertPass(expected, Path.Combine(folder, variant + ".safetensors"), examples, adapter);
    }

    [Fact]
    public void Every_plain_lora_variant_of_peft_agrees_and_the_others_are_refused_by_name()
    {
        string folder = MethodsReference.Folder("peft");
        List<TokenizedExample> examples = MethodsReference.Data(MethodsReference.Json(folder, "data.json"), null);
        int agreed = 0;
        foreach (string file in Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
        {
            string variant = Path.GetFileNameWithoutExtension(file);
            JsonNode expected = MethodsReference.Json(folder, variant + ".json");
            string adapter = Path.GetFullPath(Path.Combine(folder, (string)expected["hyperparameters"]!["adapter"]!));
            string? refused = variant.StartsWith("dora", StringComparison.Ordinal) ? "use_dora"
                : variant == "lm_head_saved" ? "modules_to_save"
                : variant == "embed_head" ? "embed_tokens" : null;
            if (refused is not null)
            {
                InvalidDataException fault = Assert.Throws<InvalidDataException>(() => AssertPass(expected, file, examples, adapter));
                Assert.Contains(refused, fault.Message, StringComparison.Ordinal);
                continue;
            }

            AssertPass(expected, file, examples, adapter);
            agreed++;
        }

        Assert.True(agreed > 0, "No plain LoRA variant was found.");
    }

    [Fact]
    public void Merged_weights_equal_those_of_peft()
    {
        string folder = MethodsReference.Folder("peft");
        using BaseModel model = BaseModel.Load(MethodsReference.Folder("model"));
        using ICompute compute = TestDecoder.CreateCompute();
        foreach (string variant in (string[])["rslora", "patterns", "qv"])
        {
            using LoraAdapter adapter = LoraCheckpoint.Load(Path.Combine(folder, variant, "adapter"), model.Config, compute);
            using TemporaryFolder target = new();
            LoraMerge.Save(target.Path, model, adapter, DType.F32, compute);
            using BaseModel merged = BaseModel.Load(target.Path);
            using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, variant + ".safetensors"));
            foreach (string name in expected.Entries.Keys.Where(k => k.StartsWith("merged.", StringComparison.Ordinal)))
            {
                float[] wanted = ReferenceCase.Numbers(expected, name);
                float[] actual = merged.Weight(name["merged.".Length..]).AsSpan<float>().ToArray();
                ReferenceCase.AssertClose(name, wanted, actual, 1e-6 * Math.Max(1, ReferenceCase.Largest(wanted)));
            }
        }
    }

    [Fact]
    public void Optimizer_runs_equal_those_of_transformers()
    {
        string folder = MethodsReference.Folder("optim");
        int runs = 0;
        foreach (string file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            JsonNode expected = MethodsReference.Json(file);
            if ((string?)expected["hyperparameters"]?["method"] == "sft weighted")
            {
                AssertRun(expected, Path.ChangeExtension(file, ".safetensors"));
                runs++;
            }
        }

        Assert.True(runs > 0, "No supervised run was found.");
    }

    [Fact]
    public void Learning_rates_equal_the_schedulers_of_transformers()
    {
        JsonNode file = MethodsReference.Json(MethodsReference.Folder("optim"), "schedules.json");
        int compared = 0;
        foreach (JsonNode? schedule in file["schedules"]!.AsArray())
        {
            string name = (string)schedule!["schedule"]!;

            // transformers' plain "constant" ignores the warm-up; here a constant rate without warm-up has 0 of it.
            ScheduleKind? kind = name switch
            {
                "constant" or "constant_with_warmup" => ScheduleKind.Constant,
                "linear" => ScheduleKind.Linear,
                "cosine" => ScheduleKind.Cosine,
                _ => null,
            };
            if (kind is null)
            {
                TestContext.Current.SendDiagnosticMessage($"schedule {name} is not supported");
                continue;
            }

            int warmup = name == "constant" ? 0 : (int)schedule["warmup_steps"]!;
            LearningRateSchedule rates = new(kind.Value, warmup, (int)schedule["training_steps"]!);
            JsonArray values = schedule["values"]!.AsArray();
            for (int i = 0; i < values.Count; i++)
            {
                Assert.Equal((double)values[i]!, (double)schedule["lr"]! * rates.Factor(i + 1), 1e-12);
            }

            compared++;
        }

        Assert.Equal(4, compared);
    }

    [Fact]
    public void Scores_equal_the_metrics_of_trl()
    {
        JsonNode file = MethodsReference.Json(MethodsReference.Folder("metrics"), "cases.json");
        JsonNode data = MethodsReference.Json(MethodsReference.Folder("sft"), "data.json");
        List<TokenizedExample> all = MethodsReference.Data(data, null);
        using ICompute compute = TestDecoder.CreateCompute();
        foreach (JsonNode? item in file["cases"]!.AsArray())
        {
            string which = (string)item!["model"]!;
            using BaseModel model = BaseModel.Load(MethodsReference.Folder(which == "teacher" ? "teacher" : "model"));
            using LoraAdapter? adapter = which == "adapter"
                ? LoraCheckpoint.Load(MethodsReference.Folder("adapter"), model.Config, compute)
                : null;
            string range = (string)item["data"]!;
            List<TokenizedExample> examples = [.. all.Take(range.EndsWith("0-3", StringComparison.Ordinal) ? 4 : 8)];
            ScoreResult score = Scoring.Run(model, compute, adapter, examples);
            double loss = (double)item["weighted_loss"]!;
            Assert.Equal(loss, score.Loss, 1e-5 * Math.Max(1, loss));
            Assert.Equal((double)item["weighted_accuracy"]!, score.TokenAccuracy, 1e-5);
            Assert.Equal((int)item["tokens"]!, score.TrainedTokens);
        }
    }

    private static void AssertPass(JsonNode expected, string tensorFile, List<TokenizedExample> examples, string? adapterFolder)
    {
        using BaseModel model = BaseModel.Load(MethodsReference.Folder("model"));
        using ICompute compute = TestDecoder.CreateCompute();
        SupervisedOptions options = new() { AdapterFolder = adapterFolder };
        using TrainingStart start = TrainingStart.Of(model, compute, options);
        using ParameterSet parameters = start.CreateParameters();
        using TestDecoder decoder = new(
            compute, model.Config, parameters.Parameters, examples.Sum(e => e.Ids.Length), examples.Count);
        double loss = (double)expected["loss"]!;
        Assert.Equal(loss, decoder.LossAndGradients(examples), 1e-5 * Math.Max(1, loss));
        using SafetensorsFile file = SafetensorsFile.Open(tensorFile);
        foreach (TrainedTensor tensor in parameters.Tensors)
        {
            float[] wanted = ReferenceCase.Numbers(file, "grad." + tensor.Spec.Name);
            double tolerance = (1e-4 * ReferenceCase.Largest(wanted)) + 1e-6;
            ReferenceCase.AssertClose(tensor.Spec.Name, wanted, tensor.Gradient.AsSpan<float>().ToArray(), tolerance);
        }

        using LoraAdapter? adapter = adapterFolder is null ? null : LoraCheckpoint.Load(adapterFolder, model.Config, compute);
        ScoreResult score = Scoring.Run(model, compute, adapter, examples);
        float[] actual = [.. score.Examples.SelectMany(e => e.LogProbabilities.Skip(1))];
        ReferenceCase.AssertClose("token_logps", MethodsReference.Flat(expected["token_logps"]!), actual, 3e-5);
    }

    private static void AssertRun(JsonNode expected, string tensorFile)
    {
        JsonNode wanted = expected["hyperparameters"]!;
        bool lora = (string)wanted["parameters"]! == "adapter";
        List<TokenizedExample> examples = MethodsReference.Data(
            MethodsReference.Json(MethodsReference.Folder("sft"), "data.json"), null);
        int steps = (int)wanted["steps"]!;
        using BaseModel model = BaseModel.Load(MethodsReference.Folder("model"));
        using ICompute compute = TestDecoder.CreateCompute();
        using TemporaryFolder saved = new();
        SupervisedOptions options = new()
        {
            AdapterFolder = lora ? MethodsReference.Folder("adapter") : null,
            Epochs = steps / 2,
            BatchSize = 4,
            LearningRate = (double)wanted["lr"]!,
            Schedule = Enum.Parse<ScheduleKind>((string)wanted["schedule"]!, ignoreCase: true),
            WarmupSteps = (int)wanted["warmup_steps"]!,
            WeightDecay = (double)wanted["weight_decay"]!,
            DecayEverything = (string)wanted["weight_decay_on"]! == "all trained parameters",
            ClipNorm = (double)wanted["clip_norm"]!,
            Shuffle = false,
        };
        RecordingObserver observer = new() { WeightsFolder = saved.Path };
        Supervised.Run(model, compute, examples, [], options, observer);
        JsonArray rows = expected["steps"]!.AsArray();
        Assert.Equal(rows.Count, observer.Steps.Count);
        for (int i = 0; i < rows.Count; i++)
        {
            AssertWithin((double)rows[i]!["lr"]!, observer.Steps[i].LearningRate);
            AssertWithin((double)rows[i]!["loss"]!, observer.Steps[i].Loss);
            AssertWithin((double)rows[i]!["grad_norm"]!, observer.Steps[i].GradientNorm);
        }

        if (File.Exists(tensorFile))
        {
            double tolerance = (string)expected["run"]! == "full_constant" ? 2e-4 : 5e-5;
            AssertParameters(tensorFile, saved.File(lora ? LoraCheckpoint.TensorFile : Safetensors.SingleFile), tolerance);
        }
    }

    private static void AssertWithin(double expected, double actual) =>
        Assert.True(Math.Abs(expected - actual) <= 5e-5 + (5e-5 * Math.Abs(expected)), $"{actual:R}; {expected:R} is expected.");

    private static void AssertParameters(string expectedFile, string actualFile, double tolerance)
    {
        using SafetensorsFile expected = SafetensorsFile.Open(expectedFile);
        using SafetensorsFile actual = SafetensorsFile.Open(actualFile);
        (double squares, long count) = (0, 0);
        foreach (string name in expected.Entries.Keys)
        {
            float[] wanted = ReferenceCase.Numbers(expected, name);
            float[] got = ReferenceCase.Numbers(actual, name);
            ReferenceCase.AssertClose(name, wanted, got, tolerance);
            squares += wanted.Zip(got, (a, b) => ((double)a - b) * ((double)a - b)).Sum();
            count += wanted.Length;
        }

        Assert.True(Math.Sqrt(squares / count) <= 2e-6, $"Root mean square difference {Math.Sqrt(squares / count):E2}.");
    }
}
