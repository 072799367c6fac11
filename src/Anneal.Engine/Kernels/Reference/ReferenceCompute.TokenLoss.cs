using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels.Reference;

/// <content>The head and the objective, one row of logits at a time.</content>
public sealed unsafe partial class ReferenceCompute
{
    /// <inheritdoc/>
    public void TokenLogProbabilities(
        Span<float> logProbabilities, Span<int> predicted, Tensor x, Tensor head, ReadOnlySpan<int> targets)
    {
        Shapes.TokenLogProbabilities(logProbabilities.Length, predicted.Length, x, head, targets);
        double[] logits = new double[head.Rows];
        for (int i = 0; i < x.Rows; i++)
        {
            double logTotal = LogitRow(logits, x, head, i, out predicted[i]);
            logProbabilities[i] = (float)(logits[targets[i]] - logTotal);
        }
    }

    /// <inheritdoc/>
    public void TokenLoss(
        Span<float> logProbabilities, Span<int> predicted, Tensor dx, Tensor dHead, Tensor x, Tensor head,
        ReadOnlySpan<int> targets, ReadOnlySpan<float> coefficients)
    {
        Shapes.TokenLoss(
            logProbabilities.Length, predicted.Length, dx, dHead, x, head, targets, coefficients.Length);
        double[] logits = new double[head.Rows];
        double[] gradient = new double[x.Columns];
        for (int i = 0; i < x.Rows; i++)
        {
            double logTotal = LogitRow(logits, x, head, i, out predicted[i]);
            logProbabilities[i] = (float)(logits[targets[i]] - logTotal);
            Array.Clear(gradient);
            for (int id = 0; id < head.Rows; id++)
            {
                double d = coefficients[i] * ((id == targets[i] ? 1 : 0) - Math.Exp(logits[id] - logTotal));
                for (int c = 0; c < x.Columns; c++)
                {
                    gradient[c] += d * Get(head, id, c);
                    if (!dHead.IsNone)
                    {
                        At(dHead, id, c) += (float)(d * At(x, i, c));
                    }
                }
            }

            for (int c = 0; c < x.Columns; c++)
            {
                At(dx, i, c) = (float)gradient[c];
            }
        }
    }

    /// <summary>Logits of one row; returns the log of the sum of their exponentials and the place of the first largest.</summary>
    private static double LogitRow(double[] logits, Tensor x, Tensor head, int row, out int largest)
    {
        largest = 0;
        for (int id = 0; id < head.Rows; id++)
        {
            double sum = 0;
            for (int c = 0; c < x.Columns; c++)
            {
                sum += (double)At(x, row, c) * Get(head, id, c);
            }

            logits[id] = sum;
            largest = sum > logits[largest] ? id : largest;
        }

        double total = 0;
        for (int id = 0; id < head.Rows; id++)
        {
            total += Math.Exp(logits[id] - logits[largest]);
        }

        return logits[largest] + Math.Log(total);
    }
}
