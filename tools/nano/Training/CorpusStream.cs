using Anneal.Engine.Data;
using Anneal.Engine.Text;
using Anneal.Nano.Corpus;

namespace Anneal.Nano.Training;

/// <summary>Documents of the corpus as token ids with weights. What the assistant says counts in full, the rest in part.</summary>
internal sealed class CorpusStream(Tokenizer tokenizer, ulong seed)
{
    // Documents from this index on are never trained on.
    private const ulong HeldOut = 1UL << 40;

    private const float PromptWeight = 0.2f;

    private readonly int _endOfText = tokenizer.TokenToId(TokenizerFiles.EndOfText)!.Value;
    private readonly int _turnStart = tokenizer.TokenToId(TokenizerFiles.TurnStart)!.Value;
    private readonly int _turnEnd = tokenizer.TokenToId(TokenizerFiles.TurnEnd)!.Value;

    /// <summary>Document <paramref name="index"/>, cut at the context length.</summary>
    /// <param name="index">Which.</param>
    /// <param name="answersOnly">Give prompts the weight 0, as tuning does.</param>
    public TokenizedExample Example(ulong index, bool answersOnly = false) =>
        Tokenize(Composer.Make(seed, index), (int)(index % int.MaxValue) + 1, answersOnly);

    /// <summary>Documents that no training run sees; only what the assistant says counts in them.</summary>
    public IEnumerable<TokenizedExample> HeldOutAnswers(int count) =>
        Enumerable.Range(0, count).Select(i => Example(HeldOut + (ulong)i,
            answersOnly: true)).Where(e => TrainedTokens(e) > 0);

    /// <summary>Single questions of one kind of task, likewise.</summary>
    public IEnumerable<TokenizedExample> HeldOutAnswers(string kind, int count) =>
        Enumerable.Range(0, count).Select(i => Tokenize(Composer.Single(seed, HeldOut + (ulong)i, kind), i + 1,
            answersOnly: true));

    /// <summary>A chat so far, and the start of the assistant's turn.</summary>
    public int[] Prompt(IReadOnlyList<Turn> turns) =>
    [
        .. Tokenize(new Document("prompt", turns), 1, answersOnly: true).Ids, .. tokenizer.Encode("\n"), _turnStart,
        .. tokenizer.Encode("assistant\n"),
    ];

    private static int TrainedTokens(TokenizedExample example) => example.Weights.Skip(1).Count(weight => weight != 0);

    /// <summary>A document as tokens.</summary>
    public TokenizedExample Tokenize(Document document, int line, bool answersOnly)
    {
        List<int> ids = [];
        List<float> weights = [];
        float prompt = answersOnly ? 0 : PromptWeight;
        foreach (Turn turn in document.Turns)
        {
            if (turn.Role == "text")
            {
                Add([_endOfText], 0);
                Add(tokenizer.Encode(turn.Content), answersOnly ? 0 : 1);
                Add([_endOfText], answersOnly ? 0 : 1);
                continue;
            }
            if (ids.Count > 0)
            {
                Add(tokenizer.Encode("\n"), 0);
            }
            bool answer = turn.Role == "assistant";
            Add([_turnStart], 0);
            Add(tokenizer.Encode(turn.Role + "\n"), 0);
            Add(tokenizer.Encode(turn.Content), answer ? 1 : prompt);
            Add([_turnEnd], answer ? 1 : prompt);
        }
        int length = Math.Min(ids.Count, NanoModel.ContextLength);
        return new TokenizedExample(line, [.. ids.Take(length)], [.. weights.Take(length)], ids.Count);

        void Add(IReadOnlyList<int> tokens, float weight)
        {
            ids.AddRange(tokens);
            weights.AddRange(Enumerable.Repeat(weight, tokens.Count));
        }
    }
}
