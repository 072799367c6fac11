using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Lora;

/// <summary>Folds an adapter into the weights of its base: W' = W + scale · B·A.</summary>
public static class LoraMerge
{
    /// <summary>The merged weight of one adapted layer, in F32.</summary>
    /// <param name="merged">Written: [outputs, inputs].</param>
    /// <param name="compute">The device.</param>
    /// <param name="weight">The base's weight.</param>
    /// <param name="pair">The factors.</param>
    public static void Merge(Tensor merged, ICompute compute, Tensor weight, LoraPair pair)
    {
        compute.Copy(merged, weight);
        compute.MatMul(merged, pair.B, pair.A, MatMulLayout.NN, pair.Slot.Scale, accumulate: true);
    }

    /// <summary>Writes a whole model with the adapter folded in, in Hugging Face's layout.</summary>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="model">The base.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="type">Storage of the merged weights.</param>
    /// <param name="compute">The device.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static void Save(string folder, BaseModel model, LoraAdapter adapter, DType type, ICompute compute)
    {
        Dictionary<string, LoraPair> pairs = adapter.Pairs.ToDictionary(
            p => DecoderConfig.ModuleName(p.Slot.Layer, p.Slot.Projection) + ".weight", StringComparer.Ordinal);
        long bytes = pairs.Values.Sum(p => Arena.BytesFor(p.B.Rows, p.A.Columns, DType.F32));
        using Arena arena = compute.CreateArena(bytes);
        Dictionary<string, Tensor> merged = new(StringComparer.Ordinal);
        foreach ((string name, LoraPair pair) in pairs)
        {
            Tensor tensor = arena.Allocate(pair.B.Rows, pair.A.Columns);
            Merge(tensor, compute, model.Weight(name), pair);
            merged.Add(name, tensor);
        }

        ModelFolder.Save(folder, model, name => merged.TryGetValue(name, out Tensor own) ? own : model.Weight(name), type, compute);
    }
}
