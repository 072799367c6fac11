using System.CommandLine;
using Anneal.Cli.Terminal;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Text;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal score</c>: how likely a model finds a file.</summary>
internal static class ScoreCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        var input = new ModelData();
        var engine = new EngineOptions();
        var adapter = new Option<string?>("--adapter") { Description = "An adapter in PEFT's format on top of the model.", HelpName = "DIR" };
        Option<bool> json = Verb.Json();
        return Verb.Of("score", "Measure a model's loss and accuracy on a file.", shell, async (parsed, cancellation) =>
        {
            engine.RequirePrecision(parsed);
            string folder = parsed.GetRequiredValue(input.Model);
            using BaseModel model = BaseModel.Load(folder);
            ModelText text = ModelText.Load(folder);
            string path = parsed.GetRequiredValue(input.Data);
            int limit = input.Limit(parsed, model.Config);
            List<TokenizedExample> examples = await ModelData.ReadAsync(path, text, limit, cancellation);
            ModelData.TellTruncations(shell, path, examples, limit);
            using var compute = new CpuCompute(engine.Compute(parsed));
            using LoraAdapter? lora = parsed.GetValue(adapter) is string from ? LoraCheckpoint.Load(from, model.Config, compute) : null;
            ScoreResult result = Scoring.Run(model, compute, lora, examples, cancellationToken: cancellation);
            if (parsed.GetValue(json))
            {
                WriteJson(shell, result);
            }
            else
            {
                shell.Out.WriteLine(
                    $"loss {Format.Loss(result.Loss)}, token accuracy {Format.Percent(result.TokenAccuracy)}, over "
                    + $"{Format.Count(result.TrainedTokens)} trained tokens of {Format.Count(result.Examples.Count)} examples");
            }

            return Root.Done;
        }, input.Model, adapter, input.Data, input.MaxLength, engine.Precision, engine.Threads, json);
    }

    private static void WriteJson(Shell shell, ScoreResult result)
    {
        string head = JsonLine.Of(writer =>
        {
            JsonLine.Number(writer, "loss", result.Loss);
            JsonLine.Number(writer, "token_accuracy", result.TokenAccuracy);
            writer.WriteNumber("trained_tokens", result.TrainedTokens);
        });

        // Example by example, because a large file's numbers would not fit one text.
        shell.Out.Write(head[..^1] + ",\"examples\":[");
        for (int i = 0; i < result.Examples.Count; i++)
        {
            ScoredExample example = result.Examples[i];
            shell.Out.Write(i > 0 ? "," : "");
            shell.Out.Write(JsonLine.Of(writer =>
            {
                JsonLine.Numbers(writer, "ids", example.Example.Ids);
                JsonLine.Numbers(writer, "logprobs", example.LogProbabilities);
                JsonLine.Numbers(writer, "weights", example.Example.Weights);
            }));
        }

        shell.Out.WriteLine("]}");
    }
}
