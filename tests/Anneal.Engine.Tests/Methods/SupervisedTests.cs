using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Tests.Architectures;

namespace Anneal.Engine.Tests.Methods;

public sealed class SupervisedTests
{
    private static readonly LoraOptions SmallLora = new() { Rank = 3, Alpha = 6, Dropout = 0.1f };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Training_lowers_the_loss(bool lora)
    {
        RecordingObserver observer = Run(Options(lora) with { Epochs = 12, LearningRate = 0.02 });
        Assert.True(observer.Steps[^1].Loss < 0.8 * observer.Steps[0].Loss);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_runs_with_one_seed_have_the_same_bits_and_another_seed_has_not(bool lora)
    {
        byte[] first = Weights(Options(lora));
        Assert.Equal(first, Weights(Options(lora)));
        Assert.NotEqual(first, Weights(Options(lora) with { Seed = 2 }));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_run_resumed_at_any_step_ends_with_the_bytes_of_an_undisturbed_one(bool lora)
    {
        SupervisedOptions options = Options(lora);
        byte[] undisturbed = Weights(options);
        using TemporaryFolder folder = new();
        foreach (int step in (int[])[1, 4, 6, 10])
        {
            string state = folder.File("state");
            using CancellationTokenSource stop = new();
            RecordingObserver first = new()
            {
                StateFile = state,
                StateStep = step,
                OnStep = m => { if (m.Step == step + 1) { stop.Cancel(); } },
            };
            Assert.Throws<OperationCanceledException>(() => Run(options, first, token: stop.Token));
            RecordingObserver second = new() { WeightsFolder = folder.Path };
            Run(options, second, state);
            Assert.Equal(step + 1, second.Steps[0].Step);
            Assert.Equal(undisturbed, File.ReadAllBytes(folder.File(WeightsFile(lora))));
        }
    }

    [Fact]
    public void A_resumed_run_keeps_its_micro_batches_when_the_memory_limit_changed()
    {
        SupervisedOptions options = Options(lora: true) with { BatchSize = 8 };
        using TemporaryFolder folder = new();
        RecordingObserver first = new() { StateFile = folder.File("state"), StateStep = 1 };
        Run(options, first);
        RecordingObserver second = new();
        Run(options with { MemoryBytes = options.MemoryBytes / 2 }, second, folder.File("state"));
        Assert.Equal(first.Plan!.MicroBatchTokens, second.Plan!.MicroBatchTokens);
    }

    [Fact]
    public void A_state_of_another_run_or_a_damaged_one_is_refused()
    {
        using TemporaryFolder folder = new();
        string state = folder.File("state");
        RecordingObserver observer = new() { StateFile = state, StateStep = 2 };
        Run(Options(lora: true), observer);
        InvalidDataException fault = Assert.Throws<InvalidDataException>(
            () => Run(Options(lora: true) with { LearningRate = 0.5 }, new RecordingObserver(), state));
        Assert.Contains("another run", fault.Message, StringComparison.Ordinal);
        byte[] bytes = File.ReadAllBytes(state);
        foreach (int at in (int[])[3, 20, bytes.Length / 2, bytes.Length - 1])
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 4;
            File.WriteAllBytes(state, damaged);
            Assert.Throws<InvalidDataException>(() => Run(Options(lora: true), new RecordingObserver(), state));
        }

        File.WriteAllBytes(state, bytes[..^7]);
        Assert.Throws<InvalidDataException>(() => Run(Options(lora: true), new RecordingObserver(), state));
    }

    [Fact]
    public void Micro_batches_do_not_change_the_result()
    {
        SupervisedOptions options = Options(lora: false) with { BatchSize = 8, Epochs = 2, ClipNorm = 1 };
        List<TokenizedExample> examples = TinyModel.Examples(16);
        using BaseModel model = TinyModel.Create();
        RecordingObserver whole = new();
        RecordingObserver split = new();
        using ICompute compute = TestDecoder.CreateCompute();
        Supervised.Run(model, compute, examples, [], options, whole);
        long enough = whole.Plan!.TotalBytes - whole.Plan.ActivationBytes + MemoryPlanner.ReserveBytes + (whole.Plan.ActivationBytes / 4);
        Supervised.Run(model, compute, examples, [], options with { MemoryBytes = enough }, split);
        Assert.True(split.Plan!.MicroBatchTokens < whole.Plan.MicroBatchTokens);
        for (int i = 0; i < whole.Steps.Count; i++)
        {
            Assert.Equal(whole.Steps[i].Loss, split.Steps[i].Loss, 1e-5);
            Assert.Equal(whole.Steps[i].GradientNorm, split.Steps[i].GradientNorm, 1e-4);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_steady_step_allocates_nothing(bool lora)
    {
        // Sampled between steps, in the observer: everything of a step lies between two samples.
        List<long> samples = new(64);
        RecordingObserver observer = new() { OnStep = _ => samples.Add(GC.GetAllocatedBytesForCurrentThread()) };
        observer.Steps.Capacity = 64;
        using BaseModel model = TinyModel.Create();
        using CpuCompute compute = new(new ComputeOptions { Threads = 2 });
        Supervised.Run(model, compute, TinyModel.Examples(16), [], Options(lora) with { Epochs = 4, BatchSize = 3 }, observer);
        for (int i = 4; i < samples.Count; i++)
        {
            Assert.Equal(samples[3], samples[i]);
        }
    }

    [Fact]
    public void A_run_that_cannot_fit_is_refused_with_the_settings_that_would_help()
    {
        MemoryLimitException fault = Assert.Throws<MemoryLimitException>(
            () => Run(Options(lora: false) with { MemoryBytes = 1 << 20 }));
        Assert.Contains("Raise the memory limit", fault.Message, StringComparison.Ordinal);
        Assert.Contains("train an adapter", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Less_memory_means_fewer_tokens_at_once_and_then_recomputed_blocks()
    {
        DecoderConfig config = ModelShapes.Get("124m");
        MemoryRequest request = new(config, 8, false, 438L << 20, 100L << 20, 400, 8000, 0);
        (int Tokens, int Slots) Plan(long megabytes)
        {
            (DecoderRoom room, long bytes) = MemoryPlanner.Plan(request with { LimitBytes = megabytes << 20 }, null);
            Assert.True(bytes + request.WeightBytes + request.ParameterBytes <= megabytes << 20);
            return (room.Tokens, room.Slots);
        }

        Assert.Equal((2048, 12), Plan(8000));
        Assert.Equal((1024, 12), Plan(1300));
        (int tokens, int slots) = Plan(800);
        Assert.True(slots < 12, $"{tokens} tokens, {slots} blocks kept");
        Assert.Throws<MemoryLimitException>(() => Plan(680));
    }

    [Fact]
    public void Validation_is_measured_at_epoch_ends_and_at_the_interval()
    {
        using BaseModel model = TinyModel.Create();
        using ICompute compute = TestDecoder.CreateCompute();
        RecordingObserver observer = new();
        List<TokenizedExample> validation = TinyModel.Examples(5, seed: 8);
        Supervised.Run(
            model, compute, TinyModel.Examples(12), validation, Options(lora: true) with { Epochs = 2, ValidationInterval = 2 }, observer);
        Assert.Equal([(2, false), (3, true), (4, false), (6, false), (6, true)], observer.Evaluations.Select(e => (e.Step, e.Full)));
        double untuned = Scoring.Run(model, compute, null, validation).Loss;
        Assert.NotEqual(untuned, observer.Evaluations[^1].Loss, 1e-4);
    }

    [Fact]
    public void Evaluation_equals_scoring_of_what_was_saved()
    {
        using BaseModel model = TinyModel.Create();
        using ICompute compute = TestDecoder.CreateCompute();
        using TemporaryFolder folder = new();
        RecordingObserver observer = new() { WeightsFolder = folder.Path };
        List<TokenizedExample> validation = TinyModel.Examples(5, seed: 8);
        Supervised.Run(model, compute, TinyModel.Examples(12), validation, Options(lora: true), observer);
        using LoraAdapter adapter = LoraCheckpoint.Load(folder.Path, model.Config, compute);
        ScoreResult score = Scoring.Run(model, compute, adapter, validation);
        Assert.Equal(score.Loss, observer.Evaluations[^1].Loss, 1e-5);
        Assert.Equal(score.TokenAccuracy, observer.Evaluations[^1].TokenAccuracy, 1e-6);
    }

    [Fact]
    public void A_fully_trained_model_is_saved_in_the_layout_of_its_base_and_loads_again()
    {
        // The base is bfloat16 in two shards with a tied head; what is saved keeps every bit of what was trained.
        string folder = Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", "llama-scaled");
        using BaseModel model = BaseModel.Load(folder);
        using ICompute compute = TestDecoder.CreateCompute();
        using TemporaryFolder saved = new();
        RecordingObserver observer = new() { WeightsFolder = saved.Path };
        List<TokenizedExample> examples = TinyModel.Examples(8);
        Supervised.Run(model, compute, examples, examples, Options(lora: false), observer);
        using BaseModel tuned = BaseModel.Load(saved.Path);
        Assert.Equal(observer.Evaluations[^1].Loss, Scoring.Run(tuned, compute, null, examples).Loss, 1e-5);
        Assert.NotEqual(Scoring.Run(model, compute, null, examples).Loss, observer.Evaluations[^1].Loss, 1e-2);
        Assert.Contains("\"torch_dtype\": \"float32\"", File.ReadAllText(saved.File("config.json")), StringComparison.Ordinal);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(folder, "tokenizer_config.json")), File.ReadAllBytes(saved.File("tokenizer_config.json")));
    }

    [Fact]
    public void Examples_without_a_trained_token_are_left_out_and_counted()
    {
        using BaseModel model = TinyModel.Create();
        using ICompute compute = TestDecoder.CreateCompute();
        List<TokenizedExample> examples = TinyModel.Examples(6);
        examples[2] = examples[2] with { Weights = new float[examples[2].Ids.Length] };
        RecordingObserver observer = new();
        Supervised.Run(model, compute, examples, [], Options(lora: true) with { BatchSize = 5, Epochs = 1 }, observer);
        Assert.Equal(1, observer.Plan!.SkippedExamples);
        Assert.Single(observer.Steps);
        Assert.Throws<ArgumentException>(
            () => Supervised.Run(model, compute, [examples[2]], [], Options(lora: true), new RecordingObserver()));
    }

    [Fact]
    public void A_run_that_diverges_stops_and_says_when()
    {
        TrainingDivergedException fault = Assert.Throws<TrainingDivergedException>(
            () => Run(Options(lora: false) with { LearningRate = 1e30, ClipNorm = 0, WarmupSteps = 0 }));
        Assert.Contains("step 2", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_outside_the_vocabulary_names_its_line()
    {
        using BaseModel model = TinyModel.Create();
        using ICompute compute = TestDecoder.CreateCompute();
        TokenizedExample bad = new(17, [1, 37, 2], [0, 1, 1], 3);
        ArgumentException fault = Assert.Throws<ArgumentException>(
            () => Supervised.Run(model, compute, [bad], [], Options(lora: true), new RecordingObserver()));
        Assert.Contains("Line 17: token 37", fault.Message, StringComparison.Ordinal);
    }

    private static SupervisedOptions Options(bool lora) => new()
    {
        Lora = lora ? SmallLora : null,
        Epochs = 3,
        BatchSize = 4,
        LearningRate = 0.01,
        WarmupSteps = 1,
        Schedule = ScheduleKind.Cosine,
        WeightDecay = 0.01,
        Seed = 1,
    };

    private static string WeightsFile(bool lora) => lora ? LoraCheckpoint.TensorFile : Safetensors.SingleFile;

    private static byte[] Weights(SupervisedOptions options)
    {
        using TemporaryFolder folder = new();
        Run(options, new RecordingObserver { WeightsFolder = folder.Path });
        return File.ReadAllBytes(folder.File(WeightsFile(options.Lora is not null)));
    }

    private static RecordingObserver Run(
        SupervisedOptions options, RecordingObserver? observer = null, string? resumeFrom = null, CancellationToken token = default)
    {
        observer ??= new RecordingObserver();
        using BaseModel model = TinyModel.Create();
        using ICompute compute = TestDecoder.CreateCompute();
        Supervised.Run(model, compute, TinyModel.Examples(16), [], options, observer, resumeFrom, token);
        return observer;
    }
}
