using Anneal.Engine.Compute;

namespace Anneal.Engine.Architectures;

/// <summary>The linear layers of one decoder block, in the order in which adapters and gradients are listed.</summary>
public enum Projection
{
    /// <summary>hidden → heads · headSize.</summary>
    Query,

    /// <summary>hidden → kvHeads · headSize.</summary>
    Key,

    /// <summary>hidden → kvHeads · headSize.</summary>
    Value,

    /// <summary>heads · headSize → hidden.</summary>
    Output,

    /// <summary>hidden → intermediate.</summary>
    Gate,

    /// <summary>hidden → intermediate.</summary>
    Up,

    /// <summary>intermediate → hidden.</summary>
    Down,
}

/// <summary>One weight of an architecture: what it is called in a checkpoint, and its shape.</summary>
/// <param name="Name">Name in <c>model.safetensors</c>.</param>
/// <param name="Rows">Outputs, or 1 for a vector.</param>
/// <param name="Columns">Inputs, or the length of a vector.</param>
/// <param name="IsVector">Whether the checkpoint stores one dimension: norms and biases.</param>
public readonly record struct WeightSpec(string Name, int Rows, int Columns, bool IsVector);

/// <summary>
/// What a decoder-only transformer computes: sizes and flags that a family file reads from <c>config.json</c>, and the names
/// of its weights. One block, driven by these flags, serves every family.
/// </summary>
public sealed record DecoderConfig
{
    /// <summary>Number of members of <see cref="Projection"/>.</summary>
    public const int Projections = 7;

    /// <summary>Name of the embedding table.</summary>
    public const string EmbeddingName = "model.embed_tokens.weight";

    /// <summary>Name of the last norm's weight.</summary>
    public const string FinalNormName = "model.norm.weight";

    /// <summary>Name of the head, where it is not the embedding table.</summary>
    public const string HeadName = "lm_head.weight";

    /// <summary>The family: <c>model_type</c> of <c>config.json</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>Rows of the embedding table; may exceed the number of tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key/value heads; divides <see cref="Heads"/>.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Elements of one head; even.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Longest sequence that the model was made for.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Epsilon of every RMSNorm.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>Rotary position embedding.</summary>
    public required RopeConfig Rope { get; init; }

    /// <summary>Non-linearity of the gated feed-forward layer.</summary>
    public Activation Activation { get; init; }

    /// <summary>Whether the head is the embedding table.</summary>
    public bool TieEmbeddings { get; init; }

    /// <summary>Whether q, k and v have biases.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Whether the attention's output has a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Whether gate, up and down have biases.</summary>
    public bool MlpBias { get; init; }

    /// <summary>Whether each head of q and k passes an RMSNorm before the rotation.</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>
    /// The padding token, −1 for none. Its row of the embedding table gets no gradient from being read, as in every
    /// transformers model of these families (torch's <c>padding_idx</c>), even where it stands inside a text.
    /// </summary>
    public int PaddingId { get; init; } = -1;

    /// <summary>Sliding window of each block; 0 for none. Empty: none anywhere.</summary>
    public IReadOnlyList<int> Windows { get; init; } = [];

    /// <summary>Width of all query heads together.</summary>
    public int QuerySize => Heads * HeadSize;

    /// <summary>Width of all key heads, or of all value heads, together.</summary>
    public int KeyValueSize => KeyValueHeads * HeadSize;

    /// <summary>Attention of one block.</summary>
    public AttentionShape Attention(int layer) => new(
        Heads, KeyValueHeads, HeadSize, (float)Math.Pow(HeadSize, -0.5), Windows.Count > 0 ? Windows[layer] : 0);

    /// <summary>Number of elements of all weights, a tied head counted once.</summary>
    public long Parameters => Weights().Sum(w => (long)w.Rows * w.Columns);

    /// <summary>Outputs and inputs of a projection.</summary>
    public (int Rows, int Columns) Shape(Projection projection) => projection switch
    {
        Projection.Query => (QuerySize, HiddenSize),
        Projection.Key or Projection.Value => (KeyValueSize, HiddenSize),
        Projection.Output => (HiddenSize, QuerySize),
        Projection.Gate or Projection.Up => (IntermediateSize, HiddenSize),
        Projection.Down => (HiddenSize, IntermediateSize),
        _ => throw new ArgumentOutOfRangeException(nameof(projection)),
    };

    /// <summary>Whether a projection has a bias.</summary>
    public bool HasBias(Projection projection) => projection switch
    {
        Projection.Query or Projection.Key or Projection.Value => QueryKeyValueBias,
        Projection.Output => OutputBias,
        _ => MlpBias,
    };

    /// <summary>The last part of a projection's module name, as PEFT's <c>target_modules</c> has it.</summary>
    public static string ShortName(Projection projection) => projection switch
    {
        Projection.Query => "q_proj",
        Projection.Key => "k_proj",
        Projection.Value => "v_proj",
        Projection.Output => "o_proj",
        Projection.Gate => "gate_proj",
        Projection.Up => "up_proj",
        Projection.Down => "down_proj",
        _ => throw new ArgumentOutOfRangeException(nameof(projection)),
    };

    /// <summary>A projection's module name, for example <c>model.layers.0.self_attn.q_proj</c>.</summary>
    public static string ModuleName(int layer, Projection projection)
    {
        string part = projection <= Projection.Output ? "self_attn" : "mlp";
        return $"model.layers.{layer}.{part}.{ShortName(projection)}";
    }

    /// <summary>The norm weights of one block by role.</summary>
    public static string NormName(int layer, BlockNorm norm) => norm switch
    {
        BlockNorm.Input => $"model.layers.{layer}.input_layernorm.weight",
        BlockNorm.PostAttention => $"model.layers.{layer}.post_attention_layernorm.weight",
        BlockNorm.Query => $"model.layers.{layer}.self_attn.q_norm.weight",
        BlockNorm.Key => $"model.layers.{layer}.self_attn.k_norm.weight",
        _ => throw new ArgumentOutOfRangeException(nameof(norm)),
    };

    /// <summary>Every weight, each once, in the order in which a forward pass meets them.</summary>
    public IEnumerable<WeightSpec> Weights()
    {
        yield return new WeightSpec(EmbeddingName, VocabularySize, HiddenSize, false);
        for (int layer = 0; layer < Layers; layer++)
        {
            yield return new WeightSpec(NormName(layer, BlockNorm.Input), 1, HiddenSize, true);
            yield return new WeightSpec(NormName(layer, BlockNorm.PostAttention), 1, HiddenSize, true);
            if (QueryKeyNorm)
            {
                yield return new WeightSpec(NormName(layer, BlockNorm.Query), 1, HeadSize, true);
                yield return new WeightSpec(NormName(layer, BlockNorm.Key), 1, HeadSize, true);
            }

            for (Projection p = 0; p < (Projection)Projections; p++)
            {
                (int rows, int columns) = Shape(p);
                yield return new WeightSpec(ModuleName(layer, p) + ".weight", rows, columns, false);
                if (HasBias(p))
                {
                    yield return new WeightSpec(ModuleName(layer, p) + ".bias", 1, rows, true);
                }
            }
        }

        yield return new WeightSpec(FinalNormName, 1, HiddenSize, true);
        if (!TieEmbeddings)
        {
            yield return new WeightSpec(HeadName, VocabularySize, HiddenSize, false);
        }
    }
}

/// <summary>The norms of a block.</summary>
public enum BlockNorm
{
    /// <summary>Before attention.</summary>
    Input,

    /// <summary>Before the feed-forward layer.</summary>
    PostAttention,

    /// <summary>On each query head.</summary>
    Query,

    /// <summary>On each key head.</summary>
    Key,
}
