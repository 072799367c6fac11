using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Architectures;

/// <summary>What a decoder computes with, and where gradients go.</summary>
/// <param name="Weights">Base weights, or trained copies of them.</param>
/// <param name="Gradients">Their gradients for full training, else null.</param>
/// <param name="Adapter">A LoRA adapter on top, or null.</param>
/// <param name="AdapterGradients">Its gradients when it is trained, else null.</param>
public sealed record DecoderParameters(
    DecoderWeights Weights, DecoderWeights? Gradients = null, LoraAdapter? Adapter = null, LoraAdapter? AdapterGradients = null);

/// <summary>
/// A decoder-only transformer: embedding, blocks, final norm and head, forward and backward over one packed micro-batch.
/// The head runs only on the rows that matter, and logits never exist as a whole.
/// </summary>
public sealed class Decoder
{
    private readonly ICompute _compute;
    private readonly DecoderConfig _config;
    private readonly DecoderMemory _memory;
    private readonly DecoderParameters _parameters;
    private readonly DecoderBlock[] _blocks;
    private readonly Rotary _rotary;
    private readonly float[] _cos;
    private readonly float[] _sin;
    private readonly int _firstTrained;
    private DropoutDraw _draw;

    internal Decoder(ICompute compute, DecoderConfig config, DecoderParameters parameters, DecoderMemory memory)
    {
        _compute = compute;
        _config = config;
        _memory = memory;
        _parameters = parameters;
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(i => new DecoderBlock(compute, config, memory, i, parameters))];
        _rotary = new Rotary(config.Rope, memory.Room.Tokens);
        _cos = new float[memory.Room.Tokens * _rotary.Width];
        _sin = new float[memory.Room.Tokens * _rotary.Width];
        int lowest = Array.FindIndex(_blocks, block => block.IsTrained);
        _firstTrained = lowest < 0 ? config.Layers : lowest;
    }

    /// <summary>Switches the adapter on (as it is at first) or off, which gives the base model from the same memory.</summary>
    public void SetAdapter(bool enabled)
    {
        foreach (DecoderBlock block in _blocks)
        {
            block.SetAdapters(enabled);
        }
    }

    /// <summary>
    /// Runs the network up to the final norm at the rows that matter, keeping what <see cref="Backward"/> needs.
    /// </summary>
    /// <param name="batch">Tokens; at least one row must matter.</param>
    /// <param name="draw">Dropout of adapters; default for none.</param>
    /// <returns>[R, hidden], valid until the next forward pass.</returns>
    public Tensor Forward(MicroBatch batch, in DropoutDraw draw = default)
    {
        Begin(batch);
        _draw = draw;
        _compute.EmbeddingForward(_memory.Input(0), _parameters.Weights.Embedding, batch.Ids);
        for (int layer = 0; layer < _blocks.Length; layer++)
        {
            Tensor output = layer + 1 < _blocks.Length ? _memory.Input(layer + 1) : _memory.Final;
            _blocks[layer].Forward(output, _memory.Input(layer), batch, draw);
        }

        return Finish();
    }

    /// <summary>
    /// Log-probabilities of the targets after <see cref="Forward"/>, without gradients.
    /// </summary>
    /// <param name="logProbabilities">One a row.</param>
    /// <param name="predicted">The likeliest token of each row.</param>
    /// <param name="batch">The same batch.</param>
    public void Evaluate(Span<float> logProbabilities, Span<int> predicted, MicroBatch batch) =>
        _compute.TokenLogProbabilities(
            logProbabilities, predicted, _memory.FinalNormed, _parameters.Weights.Head, batch.Targets);

    /// <summary>All logits of the rows that matter after <see cref="Forward"/>: y is [R, vocabulary].</summary>
    public void Logits(Tensor y) => _compute.MatMul(y, _memory.FinalNormed, _parameters.Weights.Head, MatMulLayout.NT);

    /// <summary>
    /// The objective and the whole backward pass after <see cref="Forward"/>. The objective's derivative by each
    /// log-probability is known in advance, so the head's forward and backward are one pass over its weights.
    /// </summary>
    /// <param name="logProbabilities">Written: one a row.</param>
    /// <param name="predicted">Written: the likeliest token of each row.</param>
    /// <param name="coefficients">dL / dlog-probability of each row.</param>
    /// <param name="batch">The same batch.</param>
    public void Backward(
        Span<float> logProbabilities, Span<int> predicted, ReadOnlySpan<float> coefficients, MicroBatch batch)
    {
        DecoderWeights weights = _parameters.Weights;
        DecoderWeights? gradients = _parameters.Gradients;
        _compute.TokenLoss(
            logProbabilities, predicted, _memory.DFinalNormed, gradients?.Head ?? Tensor.None, _memory.FinalNormed,
            weights.Head, batch.Targets, coefficients);
        _compute.RmsNormBackward(
            _memory.DFinal, gradients?.FinalNorm ?? Tensor.None, _memory.DFinalNormed, _memory.Final, _memory.RstdFinal,
            weights.FinalNorm, accumulate: false);
        for (int layer = _blocks.Length - 1; layer >= _firstTrained; layer--)
        {
            if (_memory.IsRecomputed(layer))
            {
                _blocks[layer].Recompute(_memory.Input(layer), batch, _draw);
            }

            bool wantsInput = layer > _firstTrained || gradients is not null;
            _blocks[layer].Backward(_memory.DResidual, _memory.Input(layer), batch, _draw, wantsInput);
        }

        if (gradients is not null)
        {
            EmbeddingBackward(gradients.Embedding, batch.Ids);
        }
    }

    /// <summary>
    /// Runs the network for generation: as <see cref="Forward"/>, but keys, values and attention are the caller's, and parts
    /// of the batch may carry different adapters. Nothing is kept for a backward pass.
    /// </summary>
    /// <param name="batch">New tokens of each sequence, sequences with the same adapter side by side.</param>
    /// <param name="attention">Stores keys and values and attends to them.</param>
    /// <param name="ranges">Which rows carry which adapter.</param>
    /// <returns>[R, hidden] after the final norm, valid until the next pass.</returns>
    public Tensor Infer(MicroBatch batch, ICachedAttention attention, ReadOnlySpan<AdapterRange> ranges)
    {
        Begin(batch);
        _compute.EmbeddingForward(_memory.Input(0), _parameters.Weights.Embedding, batch.Ids);
        for (int layer = 0; layer < _blocks.Length; layer++)
        {
            bool isLast = layer + 1 == _blocks.Length;
            BlockActivations a = _memory.Slot(layer);
            a.Bind(batch.Tokens, isLast ? batch.Rows : batch.Tokens);
            Tensor input = _memory.Input(layer);
            _blocks[layer].Project(a, input, default, ranges);
            attention.Attend(layer, a.O, a.LogSumExp, a.Q, a.K, a.V, batch, _config.Attention(layer));
            _blocks[layer].Widen(a, input, batch, default, ranges);
            _blocks[layer].Narrow(a, isLast ? _memory.Final : _memory.Input(layer + 1), default, ranges);
        }

        return Finish();
    }

    private void Begin(MicroBatch batch)
    {
        if (batch.Rows == 0 || batch.Tokens > _memory.Room.Tokens || batch.Rows > _memory.Room.Rows)
        {
            throw new ArgumentException(
                $"A batch of {batch.Tokens} tokens and {batch.Rows} rows; 1 to {_memory.Room.Tokens} and 1 to {_memory.Room.Rows} fit.");
        }

        _memory.Bind(batch);
        int width = _rotary.Width;
        for (int s = 0; s < batch.Sequences; s++)
        {
            int first = batch.Segments[s] * width;
            int count = (batch.Segments[s + 1] * width) - first;
            _rotary.Fill(batch.Starts[s], batch.Lengths[s], _cos.AsSpan(first, count), _sin.AsSpan(first, count));
        }

        _compute.Upload(_memory.Cos, _cos.AsSpan(0, batch.Tokens * width));
        _compute.Upload(_memory.Sin, _sin.AsSpan(0, batch.Tokens * width));
    }

    private void EmbeddingBackward(Tensor dEmbedding, ReadOnlySpan<int> ids)
    {
        Tensor d = _memory.DResidual;
        for (int t = 0; t < ids.Length; t++)
        {
            if (ids[t] == _config.PaddingId)
            {
                _compute.Fill(d.SliceRows(t, 1), 0);
            }
        }

        _compute.EmbeddingBackward(dEmbedding, d, ids);
    }

    private Tensor Finish()
    {
        _compute.RmsNormForward(
            _memory.FinalNormed, _memory.RstdFinal, _memory.Final, _parameters.Weights.FinalNorm, _config.NormEpsilon);
        return _memory.FinalNormed;
    }
}

/// <summary>Attention against stored keys and values, for generation.</summary>
public interface ICachedAttention
{
    /// <summary>
    /// Appends the new keys and values of each sequence to what is stored of it, and writes the attention of the new queries
    /// to all of it.
    /// </summary>
    /// <param name="layer">Block.</param>
    /// <param name="o">Written: [T, heads · headSize].</param>
    /// <param name="logSumExp">Scratch, [heads, T], as the device's attention of whole sequences wants it.</param>
    /// <param name="q">Rotated queries, [T, heads · headSize].</param>
    /// <param name="k">Rotated keys, [T, kvHeads · headSize].</param>
    /// <param name="v">Values, the same shape.</param>
    /// <param name="batch">Which tokens belong to which sequence.</param>
    /// <param name="shape">Heads, scale and window.</param>
    void Attend(
        int layer, Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v, MicroBatch batch, in AttentionShape shape);
}
