using System.CommandLine;
using System.Text.Json;
using Anneal.Cli.Terminal;
using Anneal.Engine.Architectures;
using Anneal.Engine.Data;
using Anneal.Engine.Text;
using Anneal.Server.Models;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal data</c>: training files.</summary>
internal static class DataCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell) => Verb.Group("data", "Training files.", Check(shell));

    private static Command Check(Shell shell)
    {
        var path = new Argument<string>("file") { Description = "OpenAI's fine-tuning JSONL." };
        var validation = new Option<string?>("--validation") { Description = "Look for its conversations in the file, too.", HelpName = "FILE" };
        var model = new Option<string?>("--model")
        {
            Description = "The model folder whose tokens are counted. Default the bundled model.",
            HelpName = "DIR",
        };
        Option<int> maxLength = EngineOptions.Number(
            "--max-length", "Tokens after which an example is cut off; 0 for the model's context.", 0, 0);
        Option<bool> json = Verb.Json();
        return Verb.Of("check", "List every fault of a training file, and count its tokens.", shell, async (parsed, cancellation) =>
        {
            string folder = parsed.GetValue(model) ?? ModelFolders.FindBundled()
                ?? throw new UsageException("The bundled model is not installed; name a model with --model DIR.");
            ModelText text = ModelText.Load(folder);
            int context = ArchitectureCatalog.Load(folder).MaxPositions;
            int limit = parsed.GetValue(maxLength) is > 0 and int asked ? Math.Min(asked, context) : context;
            string file = parsed.GetRequiredValue(path);
            ChatFileContents contents = await LoadAsync(file, cancellation);
            ChatFileContents? other = parsed.GetValue(validation) is string beside ? await LoadAsync(beside, cancellation) : null;
            ChatFileReport report = ChatFileReport.Of(contents, other, text, limit);
            if (parsed.GetValue(json))
            {
                shell.Out.WriteLine(ToJson(report));
            }
            else
            {
                Print(shell, file, report, limit);
            }

            return report.IsUsable ? Root.Done : Root.Failed;
        }, path, validation, model, maxLength, json);
    }

    private static async Task<ChatFileContents> LoadAsync(string path, CancellationToken cancellation)
    {
        await using FileStream file = File.OpenRead(path);
        return await ChatFile.LoadAsync(file, cancellation: cancellation);
    }

    private static void Print(Shell shell, string path, ChatFileReport report, int limit)
    {
        foreach (DataFault fault in report.Faults)
        {
            shell.Out.WriteLine(ModelData.Describe(fault));
        }

        string faults = report.Faults.Count switch { 0 => "no faults", 1 => "1 fault", int n => $"{Format.Count(n)} faults" };
        shell.Out.WriteLine($"{path}: {Examples(report.Examples)}, {faults}");
        if (report.Examples > 0 && report.Tokens is TokenReport tokens)
        {
            shell.Out.WriteLine(
                $"{Format.Count(tokens.Tokens)} tokens, {Format.Count(tokens.TrainedTokens)} of them trained; "
                + $"the longest example has {Format.Count(tokens.Longest)}");
            Tell(shell, tokens.Truncated.Count, $"longer than {Format.Count(limit)} tokens: cut off at the end", tokens.Truncated);
            Tell(shell, tokens.Untrained.Count, "without a token to train on", tokens.Untrained);
        }

        Tell(shell, report.Duplicates.Count, "the same as an earlier line", report.Duplicates.Select(line => line.Line));
        Tell(shell, report.Overlap.Count, "in the validation file, too", report.Overlap.Select(line => line.Line));
    }

    private static void Tell(Shell shell, int count, string what, IEnumerable<int> lines)
    {
        const int told = 8;
        if (count > 0)
        {
            shell.Out.WriteLine($"{Examples(count)} {what} (line {string.Join(", ", lines.Take(told))}{(count > told ? ", …" : "")})");
        }
    }

    private static string Examples(int count) => $"{Format.Count(count)} example{(count == 1 ? "" : "s")}";

    private static string ToJson(ChatFileReport report) => JsonLine.Of(writer =>
    {
        writer.WriteNumber("lines", report.Lines);
        writer.WriteNumber("examples", report.Examples);
        if (report.Tokens is TokenReport tokens)
        {
            writer.WriteNumber("tokens", tokens.Tokens);
            writer.WriteNumber("trained_tokens", tokens.TrainedTokens);
            writer.WriteNumber("truncated", tokens.Truncated.Count);
            writer.WriteNumber("truncated_tokens", tokens.TruncatedTokens);
            writer.WriteNumber("untrained", tokens.Untrained.Count);
            writer.WriteNumber("longest", tokens.Longest);
        }

        writer.WriteNumber("duplicates", report.Duplicates.Count);
        writer.WriteNumber("overlap", report.Overlap.Count);
        writer.WriteStartArray("faults");
        foreach (DataFault fault in report.Faults)
        {
            Write(writer, fault);
        }

        writer.WriteEndArray();
    });

    private static void Write(Utf8JsonWriter writer, DataFault fault)
    {
        writer.WriteStartObject();
        writer.WriteNumber("line", fault.Line);
        writer.WriteString("pointer", fault.Pointer);
        writer.WriteString("code", fault.Code);
        writer.WriteString("message", fault.Message);
        writer.WriteEndObject();
    }
}
