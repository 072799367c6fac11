using System.CommandLine;
using System.Text.Json.Nodes;
using Anneal.Cli.Terminal;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Tensors;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal bench</c>: how fast this machine trains a model of a given shape.</summary>
internal static class BenchCommand
{
    private static readonly Option<string?> Model = new("--model") { Description = "A model folder.", HelpName = "DIR" };

    private static readonly Option<string?> ShapeName = new("--shape")
    {
        Description = $"A known shape with random weights: {string.Join(", ", ModelShapes.Names)}.",
        HelpName = "NAME",
    };

    private static readonly Option<string> Method = EngineOptions.Choice("--method", "What is trained:", "lora", "lora", "full");
    private static readonly Option<int> Rank = EngineOptions.Number("--rank", "Rank of the adapters.", 16, 1);
    private static readonly Option<int> Seq = EngineOptions.Number("--seq", "Tokens of a sequence.", 256, 2);
    private static readonly Option<int> Batch = EngineOptions.Number("--batch", "Sequences of a step.", 4, 1);
    private static readonly Option<int> Steps = EngineOptions.Number("--steps", "Measured steps.", 10, 1);
    private static readonly Option<int> Warmup = EngineOptions.Number("--warmup", "Steps before the measured ones.", 2, 0);
    private static readonly Option<string> Weights = EngineOptions.Choice("--weights", "Storage of random weights:", "fp32", "fp32", "bf16");

    private static readonly Option<bool> Chats = new("--chats")
    {
        Description = "Documents of N/8 to N tokens, the last third of each trained, instead of whole sequences trained everywhere.",
    };

    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        var engine = new EngineOptions();
        Option<bool> json = Verb.Json();
        return Verb.Of("bench", "Measure training speed on this machine.", shell, (parsed, cancellation) =>
        {
            engine.RequirePrecision(parsed);
            using BaseModel model = Open(parsed);
            using var compute = new CpuCompute(engine.Compute(parsed));
            int rank = parsed.GetValue(Rank);
            ThroughputResult result = ThroughputBenchmark.Run(model, compute, new ThroughputOptions
            {
                Lora = parsed.GetValue(Method) == "lora" ? new LoraOptions { Rank = rank, Alpha = 2 * rank } : null,
                Batch = parsed.GetValue(Batch),
                Sequence = parsed.GetValue(Seq),
                Chat = parsed.GetValue(Chats),
                Steps = parsed.GetValue(Steps),
                Warmup = parsed.GetValue(Warmup),
                MemoryBytes = engine.MemoryBytes(parsed),
            }, cancellation);
            if (parsed.GetValue(json))
            {
                shell.Out.WriteLine(Json(parsed, model, result).ToJsonString());
            }
            else
            {
                Print(shell, parsed, result);
            }

            return Task.FromResult(Root.Done);
        }, Model, ShapeName, Method, Rank, Seq, Batch, Steps, Warmup, Weights, Chats, engine.Precision, engine.Threads, engine.Memory, json);
    }

    private static BaseModel Open(ParseResult parsed) => (parsed.GetValue(Model), parsed.GetValue(ShapeName)) switch
    {
        (string folder, null) => BaseModel.Load(folder),
        (null, string shape) when ModelShapes.Names.Contains(shape) =>
            BaseModel.Random(ModelShapes.Get(shape), parsed.GetValue(Weights) == "bf16" ? DType.BF16 : DType.F32, seed: 1),
        (null, string shape) => throw new UsageException($"There is no shape '{shape}'; known are {string.Join(", ", ModelShapes.Names)}."),
        _ => throw new UsageException("bench wants either --model DIR or --shape NAME."),
    };

    private static JsonObject Json(ParseResult parsed, BaseModel model, ThroughputResult result) => new()
    {
        ["model"] = parsed.GetValue(Model) ?? parsed.GetValue(ShapeName),
        ["method"] = parsed.GetValue(Method),
        ["rank"] = parsed.GetValue(Method) == "lora" ? parsed.GetValue(Rank) : null,
        ["seq"] = parsed.GetValue(Seq),
        ["batch"] = parsed.GetValue(Batch),
        ["steps"] = parsed.GetValue(Steps),
        ["chats"] = parsed.GetValue(Chats),
        ["precision"] = "fp32",
        ["device"] = result.Description,
        ["parameters"] = result.Parameters,
        ["weight_bytes"] = model.Bytes,
        ["tokens_per_second"] = result.TokensPerSecond,
        ["trained_tokens_per_second"] = result.TrainedTokensPerSecond,
        ["step_seconds"] = result.StepSeconds,
        ["gflops"] = result.GigaflopsPerSecond,
        ["peak_gflops"] = result.PeakGigaflopsPerSecond,
        ["share_of_peak"] = result.ShareOfPeak,
        ["peak_memory_bytes"] = result.PeakMemoryBytes,
        ["plan"] = result.Plan.ToString(),
    };

    private static void Print(Shell shell, ParseResult parsed, ThroughputResult result)
    {
        string size = $"{parsed.GetValue(Batch)} {(parsed.GetValue(Chats) ? "chats of up to" : "sequences of")} {parsed.GetValue(Seq)} tokens a step";
        shell.Out.WriteLine($"{parsed.GetValue(Model) ?? parsed.GetValue(ShapeName)}, {parsed.GetValue(Method)}, {size}");
        shell.Out.WriteLine(result.Description);
        shell.Out.WriteLine($"{Format.Rate(result.TokensPerSecond),12} tokens/s, {Format.Rate(result.TrainedTokensPerSecond)} of them trained");
        shell.Out.WriteLine(
            $"{Format.Rate(result.GigaflopsPerSecond),12} GFLOP/s, {Format.Percent(result.ShareOfPeak)} of the fastest matrix product here, "
            + $"{Format.Rate(result.PeakGigaflopsPerSecond)}");
        shell.Out.WriteLine($"{Format.Bytes(result.PeakMemoryBytes),12} of memory at the most");
    }
}
