namespace Anneal.Engine.Data;

/// <summary>One training example as the model sees it.</summary>
/// <param name="Line">Line of the file it came from, counted from 1.</param>
/// <param name="Ids">Token ids.</param>
/// <param name="Weights">Weights[t] is the weight of predicting Ids[t] from what stands before it; Weights[0] is never used.</param>
/// <param name="OriginalLength">Number of tokens before truncation at the end.</param>
public sealed record TokenizedExample(int Line, int[] Ids, float[] Weights, int OriginalLength)
{
    /// <summary>Tokens whose prediction counts in the loss.</summary>
    public int TrainedTokens
    {
        get
        {
            int count = 0;
            for (int t = 1; t < Weights.Length; t++)
            {
                count += Weights[t] != 0 ? 1 : 0;
            }

            return count;
        }
    }
}
