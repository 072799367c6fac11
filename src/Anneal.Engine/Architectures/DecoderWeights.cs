using Anneal.Engine.Tensors;

namespace Anneal.Engine.Architectures;

/// <summary>The tensors of one decoder block: its weights, or, in a set made of gradients, their gradients.</summary>
public sealed class BlockWeights
{
    private readonly Tensor[] _norms = new Tensor[4];
    private readonly Tensor[] _weights = new Tensor[DecoderConfig.Projections];
    private readonly Tensor[] _biases = new Tensor[DecoderConfig.Projections];

    /// <summary>Weight of a norm; none for one that the block does not have.</summary>
    public Tensor Norm(BlockNorm norm) => _norms[(int)norm];

    /// <summary>Weight of a projection, [outputs, inputs].</summary>
    public Tensor Weight(Projection projection) => _weights[(int)projection];

    /// <summary>Bias of a projection; none where it has none.</summary>
    public Tensor Bias(Projection projection) => _biases[(int)projection];

    internal void Fill(DecoderConfig config, int layer, Func<string, Tensor> resolve)
    {
        foreach (BlockNorm norm in Enum.GetValues<BlockNorm>())
        {
            if (config.QueryKeyNorm || norm is BlockNorm.Input or BlockNorm.PostAttention)
            {
                _norms[(int)norm] = resolve(DecoderConfig.NormName(layer, norm));
            }
        }

        for (Projection p = 0; p < (Projection)DecoderConfig.Projections; p++)
        {
            string module = DecoderConfig.ModuleName(layer, p);
            _weights[(int)p] = resolve(module + ".weight");
            _biases[(int)p] = config.HasBias(p) ? resolve(module + ".bias") : Tensor.None;
        }
    }
}

/// <summary>
/// All tensors of a decoder, arranged as the network uses them: the base weights, trained copies of them, or gradients.
/// </summary>
public sealed class DecoderWeights
{
    private DecoderWeights(Tensor embedding, Tensor finalNorm, Tensor head, BlockWeights[] blocks)
    {
        Embedding = embedding;
        FinalNorm = finalNorm;
        Head = head;
        Blocks = blocks;
    }

    /// <summary>Embedding table, [vocabulary, hidden].</summary>
    public Tensor Embedding { get; }

    /// <summary>Weight of the norm before the head.</summary>
    public Tensor FinalNorm { get; }

    /// <summary>Head, [vocabulary, hidden]; the same tensor as <see cref="Embedding"/> where they are tied.</summary>
    public Tensor Head { get; }

    /// <summary>The blocks, first to last.</summary>
    public IReadOnlyList<BlockWeights> Blocks { get; }

    /// <summary>Arranges tensors that <paramref name="resolve"/> finds by name; each name is asked for once.</summary>
    public static DecoderWeights Create(DecoderConfig config, Func<string, Tensor> resolve)
    {
        Tensor embedding = resolve(DecoderConfig.EmbeddingName);
        BlockWeights[] blocks = new BlockWeights[config.Layers];
        for (int layer = 0; layer < blocks.Length; layer++)
        {
            blocks[layer] = new BlockWeights();
            blocks[layer].Fill(config, layer, resolve);
        }

        Tensor norm = resolve(DecoderConfig.FinalNormName);
        return new DecoderWeights(embedding, norm, config.TieEmbeddings ? embedding : resolve(DecoderConfig.HeadName), blocks);
    }
}
