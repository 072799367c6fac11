using System.Globalization;
using System.Text;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Text;

namespace Anneal.Nano.Training;

/// <summary>Writes the README.md of the model folder: what the model is, how it was made, what was measured, what it cannot do.</summary>
internal static class ModelCard
{
    // Kinds of task with one right answer; the others have many good ones.
    private static readonly string[] Determined =
    [
        "countries", "animals", "things", "definitions", "calendar", "sum", "problem", "compare", "number-words",
            "units", "pairs", "forms",
        "letters", "odd-one-out", "category", "reorder", "pick-item", "list-layout", "filter-list", "extract-json",
            "extract-renamed",
        "extract-one", "extract-lines", "mentions", "convert", "rows", "lookup", "letter-case", "dates", "topic",
            "sentiment", "two-labels",
        "sentence-kind", "read-story", "read-facts", "summary", "tense", "form", "tone", "replace", "message-facts",
            "small-talk", "refusal",
    ];

    /// <summary>Measures the model in the recipe's folder and writes its card.</summary>
    public static async Task Measure(PretrainingOptions options, ICompute compute, TextWriter log)
    {
        string folder = options.Out;
        Tokenizer tokenizer = Tokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        using BaseModel model = BaseModel.Load(folder);
        EvaluationResult result = Evaluation.Run(model, compute, tokenizer, options.Seed);
        CorpusStream corpus = new(tokenizer, options.Seed);
        int documents = options.Chapters * options.ChapterDocuments + options.LastDocuments;
        long tokens = Enumerable.Range(0, documents).Sum(i => (long)corpus.Example((ulong)i).Ids.Length);
        string card = Write(options, tokens, result, await Answers.Of(model, compute, tokenizer, Answers.Prompts));
        await File.WriteAllTextAsync(Path.Combine(folder, "README.md"), card);
        await log.WriteLineAsync(card);
    }

    /// <summary>The card.</summary>
    /// <param name="options">The recipe that was used.</param>
    /// <param name="tokens">Tokens it was trained on.</param>
    /// <param name="result">What was measured.</param>
    /// <param name="answers">Prompts and the model's greedy answers.</param>
    public static string Write(
        PretrainingOptions options, long tokens, EvaluationResult result, IReadOnlyList<(string Prompt,
            string Answer)> answers)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        int documents = options.Chapters * options.ChapterDocuments + options.LastDocuments;
        StringBuilder text = new();
        text.Append(culture, $"""
            ---
            license: mit
            language: en
            pipeline_tag: text-generation
            ---
            # anneal-nano

            A very small language model that comes with Anneal,
                as something to tune within a minute or two on a plain computer. It
            follows short English instructions of the kinds below, answers in grammatical English or JSON,
                and knows very little.

            - Architecture: llama, 6 blocks, width 256, 8 query and 4 key/value heads of size 32,
                feed-forward width 768, tied
              embeddings, context 1024: 5.8 million parameters in BF16.
            - Tokenizer: byte-level BPE, 4096 tokens, digits one by one. Chat template: ChatML.

            ## How it was made

            `dotnet run -c Release --project tools/nano -- pretrain`, from nothing,
                with Anneal's own engine in fp32 on a CPU.

            - Corpus: {documents:N0} documents, {tokens / 1e6:0.0} million tokens, each seen once,
                written by the seeded generator in `tools/nano`
              from its own word lists and sentence patterns (about sixty kinds of task). Nothing was copied from anywhere, no
              other model was used, and no person's data is in it: names, firms and numbers are made up.
            - Training: AdamW, learning rate {options.LearningRate}, {options.DocumentsPerStep} documents a step,
                {options.Chapters} chapters of {options.ChapterDocuments:N0} documents at a constant rate, then
              {options.LastDocuments:N0} with the rate falling to zero; the assistant's words count in full,
                  prompts a fifth.

            ## Measured

            On documents of the same generator that were not in the training (some short ones are word for word like training
            documents, for there are only so many ways to ask for the capital of France): loss of the answers {result.Loss:0.000} nats a token,
            {result.TokenAccuracy:P1} of their tokens predicted.

            | kind of task | answers exactly right, greedy | loss |
            |---|---|---|

            """);
        foreach (KindResult kind in result.Kinds.Where(kind => Determined.Contains(kind.Kind)))
        {
            text.Append(culture, $"| {kind.Kind} | {kind.Exact:P0} | {kind.Loss:0.000} |\n");
        }
        text.Append("\nSome greedy answers:\n\n| prompt | answer |\n|---|---|\n");
        foreach ((string prompt, string answer) in answers)
        {
            text.Append(culture, $"| {Cell(prompt)} | {Cell(answer)} |\n");
        }
        text.Append("""

            ## What it cannot do

            - It knows only the few facts of its corpus and makes up the rest; do not rely on anything it says.
            - Larger numbers, several steps of thought, long texts, code,
                other languages and open conversation are beyond it.
            - It has seen narrow patterns of English. Wording far from them gives poor answers,
                often to another question.
            - It was not trained to be safe beyond a few polite refusals. Tune it for one narrow task,
                and test it there.

            """);
        return text.ToString();
    }

    private static string Cell(string text) =>
        text.Replace("|", "\\|", StringComparison.Ordinal).Replace("\n", "<br>", StringComparison.Ordinal);
}
