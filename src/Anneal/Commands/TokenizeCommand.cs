using System.CommandLine;
using Anneal.Cli.Terminal;
using Anneal.Engine.Architectures;
using Anneal.Engine.Data;
using Anneal.Engine.Text;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal tokenize</c>: what a model sees of a training file, and what of it is trained.</summary>
internal static class TokenizeCommand
{
    // Where there are no colours.
    private const string TrainedBegin = "⟦";
    private const string TrainedEnd = "⟧";

    // ECMA-48. The text goes out as it is, so nothing may lay it out.
    private const string Green = "\u001b[32m";
    private const string Dim = "\u001b[2m";
    private const string Plain = "\u001b[0m";

    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        var input = new ModelData();
        Option<bool> json = Verb.Json();
        return Verb.Of("tokenize", "Show what a model sees of a training file.", shell, async (parsed, cancellation) =>
        {
            string folder = parsed.GetRequiredValue(input.Model);
            ModelText text = ModelText.Load(folder);
            int limit = input.Limit(parsed, ArchitectureCatalog.Load(folder));
            await foreach ((string rendered, TokenizedExample tokens) in ModelData.RenderAsync(
                parsed.GetRequiredValue(input.Data), text, limit, cancellation))
            {
                if (parsed.GetValue(json))
                {
                    shell.Out.WriteLine(JsonLine.Of(writer =>
                    {
                        writer.WriteString("rendered", rendered);
                        JsonLine.Numbers(writer, "ids", tokens.Ids);
                        JsonLine.Numbers(writer, "weights", tokens.Weights);
                    }));
                }
                else
                {
                    Print(shell, text.Tokenizer, tokens);
                }
            }

            return Root.Done;
        }, input.Model, input.Data, input.MaxLength, json);
    }

    private static void Print(Shell shell, Tokenizer tokenizer, TokenizedExample example)
    {
        bool colour = shell.OutIsTerminal && shell.Color;
        string cut = example.OriginalLength > example.Ids.Length ? $", {Format.Count(example.OriginalLength - example.Ids.Length)} cut off" : "";
        shell.Line($"[bold]line {example.Line}[/]: {Format.Count(example.Ids.Length)} tokens, "
            + $"{Format.Count(example.TrainedTokens)} trained{cut}");
        StreamingDecoder decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: false);
        for (int from = 0; from < example.Ids.Length;)
        {
            bool trained = from > 0 && example.Weights[from] != 0;
            var text = new System.Text.StringBuilder();
            int to = from;
            for (; to < example.Ids.Length && (to > 0 && example.Weights[to] != 0) == trained; to++)
            {
                text.Append(decoder.Push(example.Ids[to]));
            }

            if (to == example.Ids.Length)
            {
                text.Append(decoder.Flush());
            }

            string begin = colour ? trained ? Green : Dim : trained ? TrainedBegin : "";
            string end = colour ? Plain : trained ? TrainedEnd : "";
            shell.Out.Write(begin + text + end);
            from = to;
        }

        shell.Out.WriteLine();
        shell.Out.WriteLine();
    }
}
