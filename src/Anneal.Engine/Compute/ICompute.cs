using Anneal.Engine.Tensors;

namespace Anneal.Engine.Compute;

/// <summary>Which operand of a matrix product is stored transposed.</summary>
public enum MatMulLayout
{
    /// <summary>y[M,N] = x[M,K] · w[N,K]ᵀ: a linear layer's forward.</summary>
    NT,

    /// <summary>y[M,N] = x[M,K] · w[K,N]: its input gradient, dx = dy · W.</summary>
    NN,

    /// <summary>y[M,N] = x[K,M]ᵀ · w[K,N]: its weight gradient, dW = dyᵀ · x.</summary>
    TN,
}

/// <summary>The non-linearity of a gated feed-forward layer.</summary>
public enum Activation
{
    /// <summary>x · σ(x).</summary>
    Silu,

    /// <summary>x · Φ(x) with the error function.</summary>
    Gelu,

    /// <summary>The tanh approximation of GELU.</summary>
    GeluTanh,
}

/// <summary>Shape and rules of grouped-query causal attention.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key/value heads; divides <paramref name="Heads"/>.</param>
/// <param name="HeadSize">Elements of one head.</param>
/// <param name="Scale">Factor on q·k, usually HeadSize^(−1/2).</param>
/// <param name="Window">A token sees itself and the Window − 1 tokens before it; 0: all before it.</param>
/// <param name="SoftCap">Scores become cap·tanh(score/cap); 0: no cap.</param>
public readonly record struct AttentionShape(
    int Heads, int KeyValueHeads, int HeadSize, float Scale, int Window = 0, float SoftCap = 0);

/// <summary>One step of AdamW (Loshchilov and Hutter 2019, decoupled decay). Bias corrections use <paramref name="Step"/>.</summary>
/// <param name="LearningRate">Learning rate of this step.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="WeightDecay">Decoupled decay of this parameter; 0 for none.</param>
/// <param name="GradientScale">Factor on the gradient before use: the clipping factor.</param>
/// <param name="Step">1 for the first step.</param>
/// <remarks>The numbers are doubles because 1 − 0.999 in single precision is off by 1e-5 of itself.</remarks>
public readonly record struct AdamWStep(
    double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, double GradientScale, int Step);

/// <summary>
/// The one seam between networks and a device. Networks and methods are written once against these verbs.
/// </summary>
/// <remarks>
/// <para>Conventions. T is the number of tokens of a packed micro-batch. Activations are F32. Weights may be F32, BF16 or
/// F16 and are widened inside the kernels, never in memory. Activations overwrite (=); parameter gradients accumulate (+=)
/// so that micro-batches add up; a verb that has a choice has a parameter called <c>accumulate</c>. Optional tensors are
/// <see cref="Tensor.None"/>. Wrong shapes throw <see cref="ArgumentException"/> before anything is written.</para>
/// <para>Every verb gives the same bits for the same inputs and thread count, whatever the machine's load, and allocates
/// nothing on the managed heap after its first call.</para>
/// <para>Segments: a packed micro-batch is described by S + 1 ascending offsets, the first 0 and the last T. Attention is
/// causal within a segment and never crosses into another.</para>
/// </remarks>
public interface ICompute : IDisposable
{
    /// <summary>For people: device, instruction set, threads.</summary>
    string Description { get; }

    /// <summary>Threads that share each verb's work.</summary>
    int Threads { get; }

    // ---- memory -------------------------------------------------------------------------------------------------

    /// <summary>Reserves zeroed, 64-byte aligned device memory that tensors are then carved from.</summary>
    /// <exception cref="OutOfMemoryException">The device has not that much; the message says how much was asked.</exception>
    Arena CreateArena(long bytes);

    /// <summary>Copies host numbers into a tensor of type F32.</summary>
    void Upload(Tensor destination, ReadOnlySpan<float> source);

    /// <summary>Copies a tensor of any floating type to the host as F32.</summary>
    void Download(Span<float> destination, Tensor source);

    /// <summary>destination = source, converting between floating types (BF16 and F16 round to nearest even).</summary>
    void Copy(Tensor destination, Tensor source);

    /// <summary>Sets every element.</summary>
    void Fill(Tensor destination, float value);

    // ---- element-wise -------------------------------------------------------------------------------------------

    /// <summary>y += alpha · x.</summary>
    void AddScaled(Tensor y, Tensor x, float alpha);

    /// <summary>Multiplies every element of y.</summary>
    void Scale(Tensor y, float factor);

    /// <summary>y[r, c] += bias[c].</summary>
    void AddBias(Tensor y, Tensor bias);

    /// <summary>dBias[c] += Σ_r dy[r, c].</summary>
    void BiasGradient(Tensor dBias, Tensor dy);

    /// <summary>
    /// Inverted dropout: y = x · keep / (1 − p), keep drawn from a counter-based generator keyed by (seed, stream) and
    /// indexed by the element, so the backward pass and a recomputed forward draw the same mask. y may be x.
    /// </summary>
    void Dropout(Tensor y, Tensor x, float probability, ulong seed, ulong stream);

    /// <summary>y[i, :] = x[rows[i], :].</summary>
    void GatherRows(Tensor y, Tensor x, ReadOnlySpan<int> rows);

    /// <summary>y[rows[i], :] += x[i, :]; rows are distinct.</summary>
    void ScatterAddRows(Tensor y, Tensor x, ReadOnlySpan<int> rows);

    // ---- matrix products ----------------------------------------------------------------------------------------

    /// <summary>y = alpha · product, or y += alpha · product. The second operand may be stored in BF16 or F16.</summary>
    void MatMul(Tensor y, Tensor x, Tensor w, MatMulLayout layout, float alpha = 1, bool accumulate = false);

    // ---- network blocks -----------------------------------------------------------------------------------------

    /// <summary>Rows of the table: y[t, :] = scale · table[ids[t], :].</summary>
    void EmbeddingForward(Tensor y, Tensor table, ReadOnlySpan<int> ids, float scale = 1);

    /// <summary>dTable[ids[t], :] += scale · dy[t, :], in ascending order of t whatever the thread count.</summary>
    void EmbeddingBackward(Tensor dTable, Tensor dy, ReadOnlySpan<int> ids, float scale = 1);

    /// <summary>
    /// RMSNorm (Zhang and Sennrich 2019): y = x · rstd · w with rstd[r] = (mean(x²) + epsilon)^(−1/2), which is kept for the
    /// backward pass. rstd has one element a row. y may be x only when no backward pass follows.
    /// </summary>
    void RmsNormForward(Tensor y, Tensor rstd, Tensor x, Tensor weight, float epsilon);

    /// <summary>dx (= or += by <paramref name="accumulate"/>; may be dy when not accumulating) and dWeight += (None: not wanted).</summary>
    void RmsNormBackward(Tensor dx, Tensor dWeight, Tensor dy, Tensor x, Tensor rstd, Tensor weight, bool accumulate);

    /// <summary>
    /// Rotary position embedding (Su et al. 2021) in place on x[T, heads · headSize]. cos and sin are [T, rotary/2] and
    /// already hold any attention factor. Half-split pairs (i, i + rotary/2) as in transformers' llama; elements past rotary stay.
    /// <paramref name="inverse"/>: the transposed map, which is the backward pass.
    /// </summary>
    void Rope(Tensor x, Tensor cos, Tensor sin, int headSize, bool inverse);

    /// <summary>
    /// Causal attention over segments. q, o: [T, heads · headSize]; k, v: [T, kvHeads · headSize]; logSumExp: [heads, T] is
    /// kept for the backward pass. Tiled with an online soft-max (Dao et al. 2022): memory O(T).
    /// </summary>
    void AttentionForward(
        Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v, ReadOnlySpan<int> segments, in AttentionShape shape);

    /// <summary>dq, dk, dv = (overwritten) from dO and what the forward pass kept.</summary>
    void AttentionBackward(
        Tensor dq, Tensor dk, Tensor dv, Tensor dO, Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v,
        ReadOnlySpan<int> segments, in AttentionShape shape);

    /// <summary>
    /// Attention of new tokens against key/value caches, for generation. Row r of q is the newest token of sequence r, whose
    /// cached keys and values are rows 0 … lengths[r] − 1 of keys[r] and values[r] (its own already appended).
    /// </summary>
    void AttentionDecode(
        Tensor o, Tensor q, ReadOnlySpan<Tensor> keys, ReadOnlySpan<Tensor> values, ReadOnlySpan<int> lengths,
        in AttentionShape shape);

    /// <summary>y = act(gate) · up.</summary>
    void GatedMlpForward(Tensor y, Tensor gate, Tensor up, Activation activation);

    /// <summary>dGate and dUp (overwritten; they may be gate and up themselves) from dy.</summary>
    void GatedMlpBackward(Tensor dGate, Tensor dUp, Tensor dy, Tensor gate, Tensor up, Activation activation);

    // ---- the head and the objective -----------------------------------------------------------------------------

    /// <summary>
    /// Log-probabilities of targets: for row i of x[n, hidden], log softmax(x[i] · headᵀ)[targets[i]], and the id with the
    /// largest logit (the lowest on ties). Logits exist only as tiles of rows × vocabulary.
    /// </summary>
    void TokenLogProbabilities(
        Span<float> logProbabilities, Span<int> predicted, Tensor x, Tensor head, ReadOnlySpan<int> targets);

    /// <summary>
    /// The fused pass of the objective L whose derivative by each log-probability is known in advance: forward as
    /// <see cref="TokenLogProbabilities"/>, then dlogits[i] = coefficients[i] · (onehot(targets[i]) − softmax), dx = dlogits · head
    /// (overwritten) and dHead += dlogitsᵀ · x (None: frozen).
    /// </summary>
    void TokenLoss(
        Span<float> logProbabilities, Span<int> predicted, Tensor dx, Tensor dHead, Tensor x, Tensor head,
        ReadOnlySpan<int> targets, ReadOnlySpan<float> coefficients);

    // ---- optimizer ----------------------------------------------------------------------------------------------

    /// <summary>Σ g², accumulated in double in a fixed order.</summary>
    double SumOfSquares(Tensor gradient);

    /// <summary>One AdamW step on one F32 parameter; moments are F32 of the same shape. The gradient is not changed.</summary>
    void AdamW(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step);
}
