using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels.Reference;

/// <content>Attention with its scores written out a row at a time.</content>
public sealed unsafe partial class ReferenceCompute
{
    /// <inheritdoc/>
    public void AttentionForward(
        Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v, ReadOnlySpan<int> segments, in AttentionShape shape)
    {
        Shapes.Attention("AttentionForward", o, logSumExp, q, k, v, segments, shape);
        double[] scores = new double[q.Rows];
        for (int s = 0; s + 1 < segments.Length; s++)
        {
            for (int t = segments[s]; t < segments[s + 1]; t++)
            {
                int first = FirstVisible(segments[s], t, shape.Window);
                for (int head = 0; head < shape.Heads; head++)
                {
                    int keyHead = head / (shape.Heads / shape.KeyValueHeads);
                    At(logSumExp, head, t) = (float)AttendRow(o, q, k, v, t, t, first, head, keyHead, scores, shape);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void AttentionBackward(
        Tensor dq, Tensor dk, Tensor dv, Tensor dO, Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v,
        ReadOnlySpan<int> segments, in AttentionShape shape)
    {
        Shapes.Attention("AttentionBackward", o, logSumExp, q, k, v, segments, shape);
        Shapes.Attention("AttentionBackward", dO, logSumExp, dq, dk, dv, segments, shape);
        double[] sumQ = new double[q.Rows * q.Columns];
        double[] sumK = new double[k.Rows * k.Columns];
        double[] sumV = new double[k.Rows * k.Columns];
        for (int s = 0; s + 1 < segments.Length; s++)
        {
            for (int t = segments[s]; t < segments[s + 1]; t++)
            {
                int first = FirstVisible(segments[s], t, shape.Window);
                for (int head = 0; head < shape.Heads; head++)
                {
                    BackwardRow(sumQ, sumK, sumV, dO, o, logSumExp, q, k, v, t, first, head, shape);
                }
            }
        }

        Store(dq, sumQ);
        Store(dk, sumK);
        Store(dv, sumV);
    }

    /// <inheritdoc/>
    public void AttentionDecode(
        Tensor o, Tensor q, ReadOnlySpan<Tensor> keys, ReadOnlySpan<Tensor> values, ReadOnlySpan<int> lengths,
        in AttentionShape shape)
    {
        Shapes.AttentionDecode(o, q, keys, values, lengths, shape);
        for (int r = 0; r < q.Rows; r++)
        {
            double[] scores = new double[lengths[r]];
            int newest = lengths[r] - 1;
            int first = FirstVisible(0, newest, shape.Window);
            for (int head = 0; head < shape.Heads; head++)
            {
                int keyHead = head / (shape.Heads / shape.KeyValueHeads);
                AttendRow(o, q, keys[r], values[r], r, newest, first, head, keyHead, scores, shape);
            }
        }
    }

    private static int FirstVisible(int segmentStart, int t, int window) =>
        window == 0 ? segmentStart : Math.Max(segmentStart, t - window + 1);

    /// <summary>One head of one query over the keys first … last; returns the log of the soft-max's denominator.</summary>
    private static double AttendRow(
        Tensor o, Tensor q, Tensor k, Tensor v, int row, int last, int first, int head, int keyHead, double[] scores,
        in AttentionShape shape)
    {
        int size = shape.HeadSize;
        double highest = double.NegativeInfinity;
        for (int u = first; u <= last; u++)
        {
            double dot = Dot(q, row, head * size, k, u, keyHead * size, size) * shape.Scale;
            scores[u] = shape.SoftCap > 0 ? shape.SoftCap * Math.Tanh(dot / shape.SoftCap) : dot;
            highest = Math.Max(highest, scores[u]);
        }

        double total = 0;
        for (int u = first; u <= last; u++)
        {
            scores[u] = Math.Exp(scores[u] - highest);
            total += scores[u];
        }

        for (int i = 0; i < size; i++)
        {
            double sum = 0;
            for (int u = first; u <= last; u++)
            {
                sum += scores[u] * At(v, u, (keyHead * size) + i);
            }

            At(o, row, (head * size) + i) = (float)(sum / total);
        }

        return highest + Math.Log(total);
    }

    private static void BackwardRow(
        double[] sumQ, double[] sumK, double[] sumV, Tensor dO, Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v,
        int t, int first, int head, in AttentionShape shape)
    {
        int size = shape.HeadSize;
        int queryAt = head * size;
        int keyAt = head / (shape.Heads / shape.KeyValueHeads) * size;
        double shared = Dot(dO, t, queryAt, o, t, queryAt, size);
        for (int u = first; u <= t; u++)
        {
            double score = Dot(q, t, queryAt, k, u, keyAt, size) * shape.Scale;
            double slope = 1;
            if (shape.SoftCap > 0)
            {
                double tanh = Math.Tanh(score / shape.SoftCap);
                score = shape.SoftCap * tanh;
                slope = 1 - (tanh * tanh);
            }

            double p = Math.Exp(score - At(logSumExp, head, t));
            double dScore = p * (Dot(dO, t, queryAt, v, u, keyAt, size) - shared) * slope * shape.Scale;
            for (int i = 0; i < size; i++)
            {
                sumV[(u * v.Columns) + keyAt + i] += p * At(dO, t, queryAt + i);
                sumQ[(t * q.Columns) + queryAt + i] += dScore * At(k, u, keyAt + i);
                sumK[(u * k.Columns) + keyAt + i] += dScore * At(q, t, queryAt + i);
            }
        }
    }

    private static double Dot(Tensor a, int aRow, int aColumn, Tensor b, int bRow, int bColumn, int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += (double)At(a, aRow, aColumn + i) * At(b, bRow, bColumn + i);
        }

        return sum;
    }

    private static void Store(Tensor destination, double[] sums)
    {
        for (int r = 0; r < destination.Rows; r++)
        {
            for (int c = 0; c < destination.Columns; c++)
            {
                At(destination, r, c) = (float)sums[(r * destination.Columns) + c];
            }
        }
    }
}
