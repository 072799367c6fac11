using System.Text.Json.Nodes;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Tensors;
using Anneal.Engine.Tests.Architectures;

namespace Anneal.Engine.Tests.Methods;

/// <summary>Whole training runs against transformers and PEFT: every step's loss, gradient norm and learning rate.</summary>
public sealed class ReferenceCurveTests
{
    private const double Tolerance = 1e-3;
    private const int Twin = 4;

    public static TheoryData<string> Folders => ReferenceCase.Folders();

    [Theory]
    [MemberData(nameof(Folders))]
    public void Ten_steps_of_full_training_follow_transformers(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        AssertCurve(reference, reference["curve_full"], reference.Sequences, null, ScheduleKind.Linear, 2, 0.01);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Ten_steps_of_adapter_training_follow_peft(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        AssertCurve(
            reference, reference["curve_lora"], reference.Sequences, reference.AdapterFolder, ScheduleKind.Linear, 2, 0.01);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Full_training_on_chats_follows_transformers(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        AssertCurve(reference, reference["chat"]["curve_full"]!, reference.Chats, null, ScheduleKind.Constant, 0, 0);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Adapter_training_on_chats_follows_peft(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        AssertCurve(
            reference, reference["chat"]["curve_lora_from_adapter"]!, reference.Chats, reference.AdapterFolder,
            ScheduleKind.Constant, 0, 0);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Scores_of_chats_equal_the_losses_of_transformers_and_peft(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        using BaseModel model = BaseModel.Load(folder);
        using ICompute compute = TestDecoder.CreateCompute();
        JsonNode chat = reference["chat"];
        ScoreResult plain = Scoring.Run(model, compute, null, reference.Chats);
        AssertNear("loss", (double)chat["loss"]!, plain.Loss, 1e-5);
        Assert.Equal((double)chat["token_accuracy"]!, plain.TokenAccuracy, 1e-6);
        using LoraAdapter adapter = LoraCheckpoint.Load(reference.AdapterFolder, model.Config, compute);
        ScoreResult adapted = Scoring.Run(model, compute, adapter, reference.Chats, microBatchTokens: 1);
        AssertNear("loss with the adapter", (double)chat["adapter_loss"]!, adapted.Loss, 1e-5);
    }

    private static void AssertCurve(
        ReferenceCase reference, JsonNode curve, List<TokenizedExample> examples, string? adapter, ScheduleKind schedule,
        int warmup, double decay)
    {
        JsonArray rows = curve["rows"]!.AsArray();

        // One evaluation on the training data at the end of each epoch: the last gives the loss after all steps.
        SupervisedOptions options = new()
        {
            AdapterFolder = adapter,
            Epochs = rows.Count - 1,
            BatchSize = examples.Count,
            LearningRate = (double)curve["lr"]!,
            Schedule = schedule,
            WarmupSteps = warmup,
            WeightDecay = decay,
            DecayEverything = true,
            ClipNorm = 1,
            Shuffle = false,
        };
        RecordingObserver run = Train(reference.Folder, examples, options);
        Lazy<RecordingObserver[]> twins = new(() => Twins(reference, examples, options));
        Assert.Equal(rows.Count - 1, run.Steps.Count);
        for (int i = 0; i < run.Steps.Count; i++)
        {
            StepMetrics step = run.Steps[i];
            AssertNear($"learning rate of step {i + 1}", (double)rows[i]!["lr"]!, step.LearningRate, 1e-9);
            AssertStep($"loss of step {i + 1}", (double)rows[i]!["loss"]!, step.Loss, t => t.Steps[i].Loss, twins);
            AssertStep(
                $"gradient norm of step {i + 1}", (double)rows[i]!["grad_norm"]!, step.GradientNorm,
                t => t.Steps[i].GradientNorm, twins);
        }

        AssertStep(
            "loss after all", (double)rows[^1]!["loss"]!, run.Evaluations[^1].Loss, t => t.Evaluations[^1].Loss, twins);
    }

    private static RecordingObserver Train(string folder, List<TokenizedExample> examples, SupervisedOptions options)
    {
        using BaseModel model = BaseModel.Load(folder);
        using ICompute compute = TestDecoder.CreateCompute();
        RecordingObserver observer = new();
        Supervised.Run(model, compute, examples, examples, options, observer);
        return observer;
    }

    /// <summary>
    /// The same run from adapters whose every element differs by one part in a million, up or down. Some of these runs are
    /// chaotic: Adam divides each gradient by its own size, so an element near zero moves by the whole rate in either
    /// direction, and at a rate of 0.01 with gradient norms of 66 such differences grow tenfold a step. Where a change in the
    /// seventh digit moves the trajectory further than the tolerance, it cannot be asked to agree more closely than that
    /// with anybody's float32; everywhere else the tolerance stands as it is.
    /// </summary>
    private static RecordingObserver[] Twins(
        ReferenceCase reference, List<TokenizedExample> examples, SupervisedOptions options)
    {
        if (options.AdapterFolder is null)
        {
            return [];
        }

        using BaseModel model = BaseModel.Load(reference.Folder);
        using ICompute compute = TestDecoder.CreateCompute();
        return
        [
            .. Enumerable.Range(0, Twin).Select(twin =>
            {
                using LoraAdapter adapter = LoraCheckpoint.Load(options.AdapterFolder, model.Config, compute);
                foreach (LoraPair pair in adapter.Pairs)
                {
                    Nudge(pair.A.AsSpan<float>(), twin, pair.Slot.NameOfA);
                    Nudge(pair.B.AsSpan<float>(), twin, pair.Slot.NameOfB);
                }

                using TemporaryFolder folder = new();
                LoraCheckpoint.Save(folder.Path, adapter, "", compute);
                return Train(reference.Folder, examples, options with { AdapterFolder = folder.Path });
            }),
        ];
    }

    private static void Nudge(Span<float> numbers, int twin, string name)
    {
        for (int i = 0; i < numbers.Length; i++)
        {
            bool up = Philox.At((ulong)twin, (ulong)name.Length, (ulong)i) % 2 == 0;
            numbers[i] *= up ? 1 + 1e-6f : 1 - 1e-6f;
        }
    }

    private static void AssertStep(
        string what, double expected, double actual, Func<RecordingObserver, double> valueOf, Lazy<RecordingObserver[]> twins)
    {
        if (Math.Abs(expected - actual) > Tolerance * Math.Abs(expected))
        {
            double spread = twins.Value.Select(t => Math.Abs(valueOf(t) - actual)).Append(0).Max() / Math.Abs(expected);
            AssertNear(what, expected, actual, Tolerance + (2 * spread));
        }
    }

    private static void AssertNear(string what, double expected, double actual, double tolerance) => Assert.True(
        Math.Abs(expected - actual) <= tolerance * Math.Abs(expected),
        $"The {what} is {actual:R}; {expected:R} is expected.");
}
