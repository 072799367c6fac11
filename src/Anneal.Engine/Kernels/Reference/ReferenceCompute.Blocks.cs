using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels.Reference;

/// <content>The blocks of a network that are not attention: embedding, norm, rotary positions, gated MLP.</content>
public sealed unsafe partial class ReferenceCompute
{
    /// <inheritdoc/>
    public void EmbeddingForward(Tensor y, Tensor table, ReadOnlySpan<int> ids, float scale = 1)
    {
        Shapes.Embedding("EmbeddingForward", y, table, ids);
        for (int t = 0; t < ids.Length; t++)
        {
            for (int c = 0; c < y.Columns; c++)
            {
                At(y, t, c) = scale * Get(table, ids[t], c);
            }
        }
    }

    /// <inheritdoc/>
    public void EmbeddingBackward(Tensor dTable, Tensor dy, ReadOnlySpan<int> ids, float scale = 1)
    {
        Shapes.F32("EmbeddingBackward", dTable);
        Shapes.Embedding("EmbeddingBackward", dy, dTable, ids);
        for (int t = 0; t < ids.Length; t++)
        {
            for (int c = 0; c < dy.Columns; c++)
            {
                At(dTable, ids[t], c) += scale * At(dy, t, c);
            }
        }
    }

    /// <inheritdoc/>
    public void RmsNormForward(Tensor y, Tensor rstd, Tensor x, Tensor weight, float epsilon)
    {
        Shapes.RmsNorm("RmsNormForward", y, rstd, x, weight);
        for (int r = 0; r < x.Rows; r++)
        {
            double squares = 0;
            for (int c = 0; c < x.Columns; c++)
            {
                squares += (double)At(x, r, c) * At(x, r, c);
            }

            double inverse = 1 / Math.Sqrt((squares / x.Columns) + epsilon);
            Element(rstd, r) = (float)inverse;
            for (int c = 0; c < x.Columns; c++)
            {
                At(y, r, c) = (float)(At(x, r, c) * inverse * Get(weight, 0, c));
            }
        }
    }

    /// <inheritdoc/>
    public void RmsNormBackward(
        Tensor dx, Tensor dWeight, Tensor dy, Tensor x, Tensor rstd, Tensor weight, bool accumulate)
    {
        Shapes.RmsNormBackward(dx, dWeight, dy, x, rstd, weight);
        if (!dWeight.IsNone)
        {
            for (int c = 0; c < x.Columns; c++)
            {
                double sum = 0;
                for (int r = 0; r < x.Rows; r++)
                {
                    sum += (double)At(dy, r, c) * At(x, r, c) * Element(rstd, r);
                }

                At(dWeight, 0, c) += (float)sum;
            }
        }

        for (int r = 0; r < x.Rows; r++)
        {
            double inverse = Element(rstd, r);
            double projection = 0;
            for (int c = 0; c < x.Columns; c++)
            {
                projection += (double)At(dy, r, c) * Get(weight, 0, c) * At(x, r, c) * inverse;
            }

            projection /= x.Columns;
            for (int c = 0; c < x.Columns; c++)
            {
                double gradient = (double)At(dy, r, c) * Get(weight, 0, c);
                double value = inverse * (gradient - (At(x, r, c) * inverse * projection));
                At(dx, r, c) = (float)(value + (accumulate ? At(dx, r, c) : 0));
            }
        }
    }

    /// <inheritdoc/>
    public void Rope(Tensor x, Tensor cos, Tensor sin, int headSize, bool inverse)
    {
        Shapes.Rope(x, cos, sin, headSize);
        int half = cos.Columns;
        for (int t = 0; t < x.Rows; t++)
        {
            for (int head = 0; head < x.Columns; head += headSize)
            {
                for (int i = 0; i < half; i++)
                {
                    double c = At(cos, t, i);
                    double s = inverse ? -At(sin, t, i) : At(sin, t, i);
                    double a = At(x, t, head + i);
                    double b = At(x, t, head + i + half);
                    At(x, t, head + i) = (float)((a * c) - (b * s));
                    At(x, t, head + i + half) = (float)((b * c) + (a * s));
                }
            }
        }
    }

    /// <inheritdoc/>
    public void GatedMlpForward(Tensor y, Tensor gate, Tensor up, Activation activation)
    {
        Shapes.GatedMlp("GatedMlpForward", y, gate, up, y);
        for (int r = 0; r < y.Rows; r++)
        {
            for (int c = 0; c < y.Columns; c++)
            {
                At(y, r, c) = (float)(Activate(At(gate, r, c), activation).Value * At(up, r, c));
            }
        }
    }

    /// <inheritdoc/>
    public void GatedMlpBackward(Tensor dGate, Tensor dUp, Tensor dy, Tensor gate, Tensor up, Activation activation)
    {
        Shapes.GatedMlp("GatedMlpBackward", dGate, dUp, gate, up);
        Shapes.SameF32("GatedMlpBackward", dy, gate);
        for (int r = 0; r < dy.Rows; r++)
        {
            for (int c = 0; c < dy.Columns; c++)
            {
                (double value, double slope) = Activate(At(gate, r, c), activation);
                double gradient = At(dy, r, c);
                double u = At(up, r, c);
                At(dGate, r, c) = (float)(gradient * u * slope);
                At(dUp, r, c) = (float)(gradient * value);
            }
        }
    }

    /// <summary>The activation and its derivative.</summary>
    internal static (double Value, double Slope) Activate(double x, Activation activation)
    {
        switch (activation)
        {
            case Activation.Silu:
            {
                double sigmoid = 1 / (1 + Math.Exp(-x));
                return (x * sigmoid, sigmoid * (1 + (x * (1 - sigmoid))));
            }

            case Activation.Gelu:
            {
                double cumulative = 0.5 * ComplementaryError(-x / Math.Sqrt(2));
                double density = Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
                return (x * cumulative, cumulative + (x * density));
            }

            case Activation.GeluTanh:
            {
                double k = Math.Sqrt(2 / Math.PI);
                double tanh = Math.Tanh(k * (x + (0.044715 * x * x * x)));
                double inner = k * (1 + (3 * 0.044715 * x * x));
                return (0.5 * x * (1 + tanh), (0.5 * (1 + tanh)) + (0.5 * x * (1 - (tanh * tanh)) * inner));
            }

            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not an activation.");
        }
    }

    /// <summary>
    /// erfc(x) to about 1e-15 relative: the Taylor series of erf near zero, and Lentz's continued fraction further out.
    /// </summary>
    internal static double ComplementaryError(double x)
    {
        double z = Math.Abs(x);
        if (z < 2.5)
        {
            // erf(z) = 2/√π · e^(−z²) · Σ 2ⁿ z^(2n+1) / (1·3·5···(2n+1)): all terms positive, so nothing cancels.
            double term = z;
            double sum = z;
            for (int n = 1; term > 1e-18 * sum; n++)
            {
                term *= 2 * z * z / ((2 * n) + 1);
                sum += term;
            }

            double erf = 2 / Math.Sqrt(Math.PI) * Math.Exp(-z * z) * sum;
            return x >= 0 ? 1 - erf : 1 + erf;
        }

        // erfc(z) = e^(−z²)/√π · 1/(z + (1/2)/(z + (2/2)/(z + (3/2)/(z + …)))), evaluated from the inside.
        double fraction = z;
        for (int n = 120; n >= 1; n--)
        {
            fraction = z + (n / 2.0 / fraction);
        }

        double tail = Math.Exp(-z * z) / (Math.Sqrt(Math.PI) * fraction);
        return x >= 0 ? tail : 2 - tail;
    }

    // Safety: the vector is contiguous, whichever of its dimensions is 1, and has more than i elements.
    private static ref float Element(Tensor vector, int i) => ref ((float*)vector.Address)[i];
}
