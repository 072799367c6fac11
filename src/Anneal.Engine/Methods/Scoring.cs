using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Methods;

/// <summary>What a model makes of one example.</summary>
/// <param name="Example">The example.</param>
/// <param name="LogProbabilities">log p(token | those before it) of every token; the first, which nothing predicts, has 0.</param>
/// <param name="Predicted">The likeliest token at each place; −1 at the first.</param>
public sealed record ScoredExample(TokenizedExample Example, float[] LogProbabilities, int[] Predicted);

/// <summary>What a model makes of a file.</summary>
/// <param name="Loss">Σ w·(−log p) / Σ w over all examples together; not a number when nothing has a weight.</param>
/// <param name="TokenAccuracy">Σ w·[likeliest token is right] / Σ w.</param>
/// <param name="TrainedTokens">Tokens with a weight.</param>
/// <param name="Examples">Each example, in the order given.</param>
public sealed record ScoreResult(double Loss, double TokenAccuracy, int TrainedTokens, IReadOnlyList<ScoredExample> Examples);

/// <summary>Log-probabilities of given texts under a model, with or without an adapter.</summary>
public static class Scoring
{
    /// <summary>Scores every token of every example.</summary>
    /// <param name="model">The base.</param>
    /// <param name="compute">The device.</param>
    /// <param name="adapter">On top of it, or null.</param>
    /// <param name="examples">Any; those of fewer than two tokens have nothing to score.</param>
    /// <param name="microBatchTokens">Tokens that go through the network at once, unless an example alone is longer.</param>
    /// <param name="cancellationToken">Ends it between two micro-batches.</param>
    public static ScoreResult Run(
        BaseModel model, ICompute compute, LoraAdapter? adapter, IReadOnlyList<TokenizedExample> examples,
        int microBatchTokens = 1024, CancellationToken cancellationToken = default)
    {
        int[] lengths = [.. examples.Select(e => Math.Max(0, e.Ids.Length - 1))];
        ScoredExample[] scored = [.. examples.Select(Unscored)];
        int[] members = [.. Enumerable.Range(0, lengths.Length).Where(i => lengths[i] > 0)];
        if (members.Length > 0)
        {
            Score(model, compute, adapter, scored, members, lengths, microBatchTokens, cancellationToken);
        }

        return Summarize(scored);
    }

    private static void Score(
        BaseModel model, ICompute compute, LoraAdapter? adapter, ScoredExample[] scored, int[] members, int[] lengths,
        int microBatchTokens, CancellationToken cancellationToken)
    {
        long total = members.Sum(i => (long)lengths[i]);
        int tokens = (int)Math.Max(members.Max(i => lengths[i]), Math.Min(microBatchTokens, total));
        int rank = adapter?.Pairs.Max(p => p.Slot.Rank) ?? 0;
        DecoderRoom room = new(tokens, tokens, 1, rank, Dropout: false, Backward: false);
        using Arena arena = compute.CreateArena(MemoryPlanner.ActivationBytes(model.Config, room));
        DecoderMemory memory = new(model.Config, room, (rows, columns) => arena.Allocate(rows, columns));
        Decoder decoder = new(compute, model.Config, new DecoderParameters(model.Weights, Adapter: adapter), memory);

        Packing packing = new(tokens, members.Length);
        packing.Pack([.. members.Select(i => lengths[i])]);
        MicroBatch batch = new(tokens, members.Length);
        int[] rope = RopeLengths.Of(model.Config.Rope, [.. scored.Select(s => s.Example)], repeated: false);
        float[] logProbabilities = new float[tokens];
        int[] predicted = new int[tokens];
        ILookup<int, int> bins = Enumerable.Range(0, members.Length).ToLookup(packing.BinOf, m => members[m]);
        for (int bin = 0; bin < packing.Count; bin++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            batch.Clear();
            foreach (int i in bins[bin])
            {
                batch.AddEveryToken(scored[i].Example, rope[i]);
            }

            decoder.Forward(batch);
            decoder.Evaluate(logProbabilities.AsSpan(0, batch.Rows), predicted.AsSpan(0, batch.Rows), batch);
            int at = 0;
            foreach (int i in bins[bin])
            {
                logProbabilities.AsSpan(at, lengths[i]).CopyTo(scored[i].LogProbabilities.AsSpan(1));
                predicted.AsSpan(at, lengths[i]).CopyTo(scored[i].Predicted.AsSpan(1));
                at += lengths[i];
            }
        }
    }

    private static ScoredExample Unscored(TokenizedExample example)
    {
        int[] predicted = new int[example.Ids.Length];
        Array.Fill(predicted, -1);
        return new ScoredExample(example, new float[example.Ids.Length], predicted);
    }

    private static ScoreResult Summarize(ScoredExample[] scored)
    {
        double loss = 0, right = 0, sum = 0;
        int trained = 0;
        foreach (ScoredExample example in scored)
        {
            for (int t = 1; t < example.LogProbabilities.Length; t++)
            {
                double weight = example.Example.Weights[t];
                loss -= weight * example.LogProbabilities[t];
                right += example.Predicted[t] == example.Example.Ids[t] ? weight : 0;
                sum += weight;
                trained += weight != 0 ? 1 : 0;
            }
        }

        return new ScoreResult(loss / sum, right / sum, trained, scored);
    }
}
