using Anneal.Engine.Tensors;

namespace Anneal.Engine.Compute;

/// <summary>
/// The argument checks of <see cref="ICompute"/>, one method a verb, the same for every device: whatever passes here a
/// kernel may index without looking again.
/// </summary>
internal static class Shapes
{
    public static void Same(string verb, Tensor a, Tensor b)
    {
        Float(verb, a);
        Float(verb, b);
        Require(a.Rows == b.Rows && a.Columns == b.Columns, verb, "shapes differ", a, b);
    }

    public static void SameF32(string verb, Tensor a, Tensor b)
    {
        Same(verb, a, b);
        F32(verb, a);
        F32(verb, b);
    }

    /// <summary>One element for each column of y.</summary>
    public static void RowVector(string verb, Tensor y, Tensor vector)
    {
        F32(verb, y);
        Float(verb, vector);
        Require(vector.Rows == 1 && vector.Columns == y.Columns, verb, "one element a column is wanted", vector, y);
    }

    public static void F32(string verb, Tensor t) =>
        Require(t.Type == DType.F32 && (!t.IsNone || t.Length == 0), verb, "an F32 tensor is wanted", t, t);

    public static void Float(string verb, Tensor t) =>
        Require(t.Type != DType.I32 && (!t.IsNone || t.Length == 0), verb, "a floating tensor is wanted", t, t);

    public static void Contiguous(string verb, Tensor t) =>
        Require(t.IsContiguous, verb, "rows without gaps are wanted", t, t);

    public static void Count(string verb, string what, int count, int wanted)
    {
        if (count != wanted)
        {
            throw new ArgumentException($"{verb}: {wanted} {what} are wanted, {count} were given.");
        }
    }

    /// <summary>Every index lies in 0 … bound − 1.</summary>
    public static void Indices(string verb, ReadOnlySpan<int> indices, int bound)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            if ((uint)indices[i] >= (uint)bound)
            {
                throw new ArgumentException($"{verb}: index {indices[i]} at place {i} is outside 0..{bound - 1}.");
            }
        }
    }

    public static void Dropout(Tensor y, Tensor x, float probability)
    {
        SameF32("Dropout", y, x);
        if (!(probability >= 0 && probability < 1))
        {
            throw new ArgumentException($"Dropout: the probability {probability} is not in [0, 1).");
        }
    }

    public static void Gather(Tensor y, Tensor x, ReadOnlySpan<int> rows)
    {
        F32("GatherRows", y);
        F32("GatherRows", x);
        Require(y.Columns == x.Columns, "GatherRows", "columns differ", y, x);
        Count("GatherRows", "rows", rows.Length, y.Rows);
        Indices("GatherRows", rows, x.Rows);
    }

    public static void Scatter(Tensor y, Tensor x, ReadOnlySpan<int> rows)
    {
        F32("ScatterAddRows", y);
        F32("ScatterAddRows", x);
        Require(y.Columns == x.Columns, "ScatterAddRows", "columns differ", y, x);
        Count("ScatterAddRows", "rows", rows.Length, x.Rows);
        Indices("ScatterAddRows", rows, y.Rows);
    }

    /// <summary>Returns M, N and K of the product.</summary>
    public static (int M, int N, int K) MatMul(Tensor y, Tensor x, Tensor w, MatMulLayout layout)
    {
        F32("MatMul", y);
        F32("MatMul", x);
        Float("MatMul", w);
        (int m, int k) = layout == MatMulLayout.TN ? (x.Columns, x.Rows) : (x.Rows, x.Columns);
        (int n, int depth) = layout == MatMulLayout.NT ? (w.Rows, w.Columns) : (w.Columns, w.Rows);
        if (y.Rows != m || y.Columns != n || depth != k)
        {
            throw new ArgumentException($"MatMul {layout}: {y} = {x} · {w} do not fit.");
        }

        return (m, n, k);
    }

    public static void Embedding(string verb, Tensor y, Tensor table, ReadOnlySpan<int> ids)
    {
        F32(verb, y);
        Float(verb, table);
        Require(y.Columns == table.Columns, verb, "columns differ", y, table);
        Count(verb, "ids", ids.Length, y.Rows);
        Indices(verb, ids, table.Rows);
    }

    public static void RmsNorm(string verb, Tensor y, Tensor rstd, Tensor x, Tensor weight)
    {
        SameF32(verb, y, x);
        RowVector(verb, x, weight);
        F32(verb, rstd);
        Contiguous(verb, rstd);
        Contiguous(verb, weight);
        Count(verb, "elements of rstd", checked((int)rstd.Length), x.Rows);
    }

    public static void RmsNormBackward(Tensor dx, Tensor dWeight, Tensor dy, Tensor x, Tensor rstd, Tensor weight)
    {
        RmsNorm("RmsNormBackward", dx, rstd, x, weight);
        SameF32("RmsNormBackward", dy, x);
        if (!dWeight.IsNone)
        {
            RowVector("RmsNormBackward", x, dWeight);
            F32("RmsNormBackward", dWeight);
        }
    }

    public static void Rope(Tensor x, Tensor cos, Tensor sin, int headSize)
    {
        F32("Rope", x);
        SameF32("Rope", cos, sin);
        bool fits = headSize > 0 && x.Columns % headSize == 0 && 2 * cos.Columns <= headSize && cos.Rows == x.Rows;
        Require(fits, "Rope", "heads, angles and rows do not fit", x, cos);
    }

    public static void AttentionHeads(string verb, in AttentionShape shape)
    {
        bool fits = shape.Heads > 0 && shape.KeyValueHeads > 0 && shape.HeadSize > 0 && shape.Window >= 0
            && shape.SoftCap >= 0 && shape.Heads % shape.KeyValueHeads == 0;
        if (!fits)
        {
            throw new ArgumentException($"{verb}: {shape} makes no sense.");
        }
    }

    public static void Attention(
        string verb, Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v, ReadOnlySpan<int> segments,
        in AttentionShape shape)
    {
        AttentionHeads(verb, shape);
        SameF32(verb, o, q);
        SameF32(verb, k, v);
        F32(verb, logSumExp);
        Contiguous(verb, logSumExp);
        Require(q.Columns == shape.Heads * shape.HeadSize, verb, "query heads do not fit", q, q);
        Require(k.Columns == shape.KeyValueHeads * shape.HeadSize && k.Rows == q.Rows, verb, "key heads do not fit", q, k);
        Require(
            logSumExp.Rows == shape.Heads && logSumExp.Columns == q.Rows, verb, "[heads, T] is wanted", logSumExp, q);
        Segments(verb, segments, q.Rows);
    }

    public static void AttentionDecode(
        Tensor o, Tensor q, ReadOnlySpan<Tensor> keys, ReadOnlySpan<Tensor> values, ReadOnlySpan<int> lengths,
        in AttentionShape shape)
    {
        const string verb = "AttentionDecode";
        AttentionHeads(verb, shape);
        SameF32(verb, o, q);
        Require(q.Columns == shape.Heads * shape.HeadSize, verb, "query heads do not fit", q, q);
        Count(verb, "key caches", keys.Length, q.Rows);
        Count(verb, "value caches", values.Length, q.Rows);
        Count(verb, "lengths", lengths.Length, q.Rows);
        for (int r = 0; r < lengths.Length; r++)
        {
            SameF32(verb, keys[r], values[r]);
            bool fits = keys[r].Columns == shape.KeyValueHeads * shape.HeadSize && lengths[r] > 0
                && lengths[r] <= keys[r].Rows;
            Require(fits, verb, "a cache does not hold its length of key heads", keys[r], q);
        }
    }

    public static void GatedMlp(string verb, Tensor a, Tensor b, Tensor c, Tensor d)
    {
        SameF32(verb, a, b);
        SameF32(verb, a, c);
        SameF32(verb, a, d);
    }

    public static void TokenLogProbabilities(
        int logProbabilities, int predicted, Tensor x, Tensor head, ReadOnlySpan<int> targets)
    {
        const string verb = "TokenLogProbabilities";
        F32(verb, x);
        Float(verb, head);
        Require(x.Columns == head.Columns, verb, "columns differ", x, head);
        Count(verb, "log-probabilities", logProbabilities, x.Rows);
        Count(verb, "predictions", predicted, x.Rows);
        Count(verb, "targets", targets.Length, x.Rows);
        Indices(verb, targets, head.Rows);
    }

    public static void TokenLoss(
        int logProbabilities, int predicted, Tensor dx, Tensor dHead, Tensor x, Tensor head, ReadOnlySpan<int> targets,
        int coefficients)
    {
        TokenLogProbabilities(logProbabilities, predicted, x, head, targets);
        SameF32("TokenLoss", dx, x);
        Count("TokenLoss", "coefficients", coefficients, x.Rows);
        if (!dHead.IsNone)
        {
            F32("TokenLoss", dHead);
            Same("TokenLoss", dHead, head);
        }
    }

    public static void AdamW(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step)
    {
        GatedMlp("AdamW", parameter, gradient, firstMoment, secondMoment);
        if (step.Step < 1)
        {
            throw new ArgumentException($"AdamW: step {step.Step}; the first step is 1.");
        }
    }

    private static void Segments(string verb, ReadOnlySpan<int> segments, int tokens)
    {
        bool fits = segments.Length >= 1 && segments[0] == 0 && segments[^1] == tokens;
        for (int s = 1; fits && s < segments.Length; s++)
        {
            fits = segments[s] >= segments[s - 1];
        }

        if (!fits)
        {
            throw new ArgumentException($"{verb}: segment offsets must ascend from 0 to {tokens}.");
        }
    }

    /// <summary>The message is put together only when it is thrown: a check that passes allocates nothing.</summary>
    private static void Require(bool condition, string verb, string what, Tensor a, Tensor b)
    {
        if (!condition)
        {
            throw new ArgumentException($"{verb}: {what} ({a}; {b}).");
        }
    }
}
