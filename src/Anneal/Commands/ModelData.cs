using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using Anneal.Cli.Terminal;
using Anneal.Engine.Architectures;
using Anneal.Engine.Data;
using Anneal.Engine.Text;

namespace Anneal.Cli.Commands;

/// <summary>A model folder and a training file, as the verbs of the engine take them.</summary>
internal sealed class ModelData
{
    /// <summary><c>--model</c>.</summary>
    public Option<string> Model { get; } = new("--model")
    {
        Description = "A model folder in Hugging Face layout.",
        HelpName = "DIR",
        Required = true,
    };

    /// <summary><c>--data</c>.</summary>
    public Option<string> Data { get; } = new("--data") { Description = "OpenAI's fine-tuning JSONL.", HelpName = "FILE", Required = true };

    /// <summary><c>--max-length</c>.</summary>
    public Option<int> MaxLength { get; } = EngineOptions.Number(
        "--max-length", "Tokens after which an example is cut off; 0 for the model's context.", 0, 0);

    /// <summary>Most tokens of an example.</summary>
    public int Limit(ParseResult parsed, DecoderConfig config)
    {
        int asked = parsed.GetValue(MaxLength);
        return asked == 0 ? config.MaxPositions : Math.Min(asked, config.MaxPositions);
    }

    /// <summary>A file's examples as tokens.</summary>
    /// <exception cref="InvalidDataException">The file has a fault; the message names the line.</exception>
    public static async Task<List<TokenizedExample>> ReadAsync(
        string path, ModelText text, int maxLength, CancellationToken cancellation) =>
        await RenderAsync(path, text, maxLength, cancellation).Select(example => example.Tokens).ToListAsync(cancellation);

    /// <summary>A file's examples as text and tokens, one by one.</summary>
    /// <exception cref="InvalidDataException">The file has a fault; the message names the line.</exception>
    public static async IAsyncEnumerable<(string Text, TokenizedExample Tokens)> RenderAsync(
        string path, ModelText text, int maxLength, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using FileStream file = File.OpenRead(path);
        await foreach (ChatLine line in ChatFile.ReadAsync(file, cancellation: cancellation))
        {
            if (line.Faults.Count > 0)
            {
                throw new InvalidDataException($"{path}, {Describe(line.Faults[0])} All faults: anneal data check {path}");
            }

            TokenizedExample tokens = Masking.Tokenize(line.Example!, text, maxLength, out string rendered);
            yield return (rendered, tokens);
        }
    }

    /// <summary>Says how many examples were cut off, if any.</summary>
    public static void TellTruncations(Shell shell, string path, IReadOnlyCollection<TokenizedExample> examples, int maxLength)
    {
        int cut = examples.Count(example => example.OriginalLength > example.Ids.Length);
        if (cut > 0)
        {
            shell.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{path}: {cut} of {examples.Count} examples are longer than {maxLength} tokens and were cut off at the end."));
        }
    }

    /// <summary>A fault with its place in words.</summary>
    public static string Describe(DataFault fault)
    {
        string place = string.Join(", ", new[] { fault.Line > 0 ? $"line {fault.Line}" : "", fault.Pointer }.Where(part => part.Length > 0));
        return place.Length > 0 ? $"{place}: {fault.Message}" : fault.Message;
    }
}
