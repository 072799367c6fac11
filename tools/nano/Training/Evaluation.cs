using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Methods;
using Anneal.Engine.Text;
using Anneal.Nano.Corpus;

namespace Anneal.Nano.Training;

/// <summary>How well one kind of task goes.</summary>
/// <param name="Kind">Its name in the curriculum.</param>
/// <param name="Loss">Mean −log p of a token of the answers, in nats.</param>
/// <param name="Exact">Share of the answers that greedy decoding gives word for word.</param>
/// <param name="Count">Documents measured.</param>
internal sealed record KindResult(string Kind, double Loss, double Exact, int Count);

/// <summary>What a model makes of documents that were not in its training.</summary>
/// <param name="Loss">Mean −log p of a token of the answers over documents as the corpus mixes them.</param>
/// <param name="TokenAccuracy">Share of these tokens that were the likeliest.</param>
/// <param name="Kinds">Each kind of task alone.</param>
internal sealed record EvaluationResult(double Loss, double TokenAccuracy, IReadOnlyList<KindResult> Kinds);

/// <summary>Measures a model on held-out documents.</summary>
internal static class Evaluation
{
    private const int MixedDocuments = 512;

    private const int DocumentsOfKind = 40;

    /// <summary>Loss over the mixed corpus, loss and exact answers of each kind.</summary>
    public static EvaluationResult Run(BaseModel model, ICompute compute, Tokenizer tokenizer, ulong seed)
    {
        CorpusStream corpus = new(tokenizer, seed);
        ScoreResult mixed = Scoring.Run(model, compute, null, [.. corpus.HeldOutAnswers(MixedDocuments)]);
        List<KindResult> kinds = [];
        foreach (string kind in Curriculum.Names)
        {
            TokenizedExample[] examples = [.. corpus.HeldOutAnswers(kind, DocumentsOfKind)];
            ScoreResult score = Scoring.Run(model, compute, null, examples);
            kinds.Add(new KindResult(kind, score.Loss, score.Examples.Count(IsExact) / (double)examples.Length,
                examples.Length));
        }
        return new EvaluationResult(mixed.Loss, mixed.TokenAccuracy, kinds);
    }

    /// <summary>
    /// Whether greedy decoding would give the trained tokens: it does just when each of them is the likeliest after the
    /// ones before it.
    /// </summary>
    public static bool IsExact(ScoredExample scored)
    {
        TokenizedExample example = scored.Example;
        for (int t = 1; t < example.Ids.Length; t++)
        {
            if (example.Weights[t] != 0 && scored.Predicted[t] != example.Ids[t])
            {
                return false;
            }
        }
        return true;
    }
}
