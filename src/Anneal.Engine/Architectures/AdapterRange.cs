using Anneal.Engine.Compute;
using Anneal.Engine.Lora;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Architectures;

/// <summary>
/// The part of a batch that carries one adapter, for generation where requests with different adapters run together. Ranges
/// cover whole sequences; those without an adapter have no range.
/// </summary>
/// <param name="Adapter">The adapter.</param>
/// <param name="Token">First of its tokens.</param>
/// <param name="Tokens">Number of its tokens.</param>
/// <param name="Row">First of its rows that reach the head.</param>
/// <param name="Rows">Number of those rows.</param>
public readonly record struct AdapterRange(LoraAdapter Adapter, int Token, int Tokens, int Row, int Rows)
{
    /// <summary>Adds the adapter's part of one layer to its rows of y.</summary>
    internal void Apply(ICompute compute, DecoderMemory memory, int layer, Projection projection, Tensor y, Tensor x)
    {
        if (Adapter.Pair(layer, projection) is not { } pair)
        {
            return;
        }

        // Behind the last block's attention only the rows that reach the head are left.
        bool all = x.Rows == memory.Cos.Rows;
        (int first, int count) = all ? (Token, Tokens) : (Row, Rows);
        LoraLinear.AddAdapter(
            compute, pair, y.SliceRows(first, count), x.SliceRows(first, count), memory.DZ(count, pair.Slot.Rank));
    }
}
