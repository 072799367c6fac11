using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels.Reference;

/// <summary>
/// Every verb as the loop that defines it: one thread, no vectors, sums in double, results rounded once. Slow on purpose;
/// the oracle that faster kernels are tested against.
/// </summary>
public sealed unsafe partial class ReferenceCompute : ICompute
{
    /// <inheritdoc/>
    public string Description => "reference loops, 1 thread";

    /// <inheritdoc/>
    public int Threads => 1;

    /// <inheritdoc/>
    public Arena CreateArena(long bytes) => new(bytes);

    /// <inheritdoc/>
    public void Upload(Tensor destination, ReadOnlySpan<float> source)
    {
        Shapes.F32("Upload", destination);
        Shapes.Count("Upload", "numbers", source.Length, checked((int)destination.Length));
        for (int r = 0; r < destination.Rows; r++)
        {
            source.Slice(r * destination.Columns, destination.Columns).CopyTo(RowSpan(destination, r));
        }
    }

    /// <inheritdoc/>
    public void Download(Span<float> destination, Tensor source)
    {
        Shapes.Float("Download", source);
        Shapes.Count("Download", "numbers", destination.Length, checked((int)source.Length));
        for (int r = 0; r < source.Rows; r++)
        {
            for (int c = 0; c < source.Columns; c++)
            {
                destination[(r * source.Columns) + c] = Get(source, r, c);
            }
        }
    }

    /// <inheritdoc/>
    public void Copy(Tensor destination, Tensor source)
    {
        Shapes.Same("Copy", destination, source);
        for (int r = 0; r < source.Rows; r++)
        {
            for (int c = 0; c < source.Columns; c++)
            {
                Set(destination, r, c, Get(source, r, c));
            }
        }
    }

    /// <inheritdoc/>
    public void Fill(Tensor destination, float value)
    {
        Shapes.Float("Fill", destination);
        for (int r = 0; r < destination.Rows; r++)
        {
            for (int c = 0; c < destination.Columns; c++)
            {
                Set(destination, r, c, value);
            }
        }
    }

    /// <inheritdoc/>
    public void AddScaled(Tensor y, Tensor x, float alpha)
    {
        Shapes.SameF32("AddScaled", y, x);
        for (int r = 0; r < y.Rows; r++)
        {
            for (int c = 0; c < y.Columns; c++)
            {
                At(y, r, c) += alpha * At(x, r, c);
            }
        }
    }

    /// <inheritdoc/>
    public void Scale(Tensor y, float factor)
    {
        Shapes.F32("Scale", y);
        for (int r = 0; r < y.Rows; r++)
        {
            for (int c = 0; c < y.Columns; c++)
            {
                At(y, r, c) *= factor;
            }
        }
    }

    /// <inheritdoc/>
    public void AddBias(Tensor y, Tensor bias)
    {
        Shapes.RowVector("AddBias", y, bias);
        for (int r = 0; r < y.Rows; r++)
        {
            for (int c = 0; c < y.Columns; c++)
            {
                At(y, r, c) += Get(bias, 0, c);
            }
        }
    }

    /// <inheritdoc/>
    public void BiasGradient(Tensor dBias, Tensor dy)
    {
        Shapes.F32("BiasGradient", dBias);
        Shapes.RowVector("BiasGradient", dy, dBias);
        for (int c = 0; c < dy.Columns; c++)
        {
            double sum = 0;
            for (int r = 0; r < dy.Rows; r++)
            {
                sum += At(dy, r, c);
            }

            At(dBias, 0, c) += (float)sum;
        }
    }

    /// <inheritdoc/>
    public void Dropout(Tensor y, Tensor x, float probability, ulong seed, ulong stream)
    {
        Shapes.Dropout(y, x, probability);
        uint threshold = DropoutRule.Threshold(probability);
        float scale = DropoutRule.Scale(probability);
        for (int r = 0; r < y.Rows; r++)
        {
            for (int c = 0; c < y.Columns; c++)
            {
                ulong index = ((ulong)r * (uint)y.Columns) + (uint)c;
                At(y, r, c) = Philox.At(seed, stream, index) >= threshold ? At(x, r, c) * scale : At(x, r, c) * 0;
            }
        }
    }

    /// <inheritdoc/>
    public void GatherRows(Tensor y, Tensor x, ReadOnlySpan<int> rows)
    {
        Shapes.Gather(y, x, rows);
        for (int i = 0; i < rows.Length; i++)
        {
            RowSpan(x, rows[i]).CopyTo(RowSpan(y, i));
        }
    }

    /// <inheritdoc/>
    public void ScatterAddRows(Tensor y, Tensor x, ReadOnlySpan<int> rows)
    {
        Shapes.Scatter(y, x, rows);
        for (int i = 0; i < rows.Length; i++)
        {
            for (int c = 0; c < x.Columns; c++)
            {
                At(y, rows[i], c) += At(x, i, c);
            }
        }
    }

    /// <inheritdoc/>
    public void MatMul(Tensor y, Tensor x, Tensor w, MatMulLayout layout, float alpha = 1, bool accumulate = false)
    {
        (int m, int n, int k) = Shapes.MatMul(y, x, w, layout);
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = 0;
                for (int p = 0; p < k; p++)
                {
                    float a = layout == MatMulLayout.TN ? At(x, p, i) : At(x, i, p);
                    sum += (double)a * (layout == MatMulLayout.NT ? Get(w, j, p) : Get(w, p, j));
                }

                At(y, i, j) = (float)((alpha * sum) + (accumulate ? At(y, i, j) : 0));
            }
        }
    }

    /// <inheritdoc/>
    public double SumOfSquares(Tensor gradient)
    {
        Shapes.F32("SumOfSquares", gradient);
        double sum = 0;
        for (int r = 0; r < gradient.Rows; r++)
        {
            for (int c = 0; c < gradient.Columns; c++)
            {
                sum += (double)At(gradient, r, c) * At(gradient, r, c);
            }
        }

        return sum;
    }

    /// <inheritdoc/>
    public void AdamW(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step)
    {
        Shapes.AdamW(parameter, gradient, firstMoment, secondMoment, step);
        double firstCorrection = 1 - Math.Pow(step.Beta1, step.Step);
        double secondCorrection = 1 - Math.Pow(step.Beta2, step.Step);
        for (int r = 0; r < parameter.Rows; r++)
        {
            for (int c = 0; c < parameter.Columns; c++)
            {
                double g = At(gradient, r, c) * step.GradientScale;
                double m = (step.Beta1 * At(firstMoment, r, c)) + ((1 - step.Beta1) * g);
                double v = (step.Beta2 * At(secondMoment, r, c)) + ((1 - step.Beta2) * g * g);
                double decayed = At(parameter, r, c) * (1 - (step.LearningRate * step.WeightDecay));
                double update = m / firstCorrection / (Math.Sqrt(v / secondCorrection) + step.Epsilon);
                At(firstMoment, r, c) = (float)m;
                At(secondMoment, r, c) = (float)v;
                At(parameter, r, c) = (float)(decayed - (step.LearningRate * update));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held: memory belongs to the arenas.
    }

    // Safety, for all three: the shape checks of the calling verb hold 0 ≤ r < Rows and 0 ≤ c < Columns, and the
    // tensor's owner allocated Stride elements for each row.
    private static ref float At(Tensor t, int r, int c) => ref ((float*)t.Address)[((long)r * t.Stride) + c];

    private static Span<float> RowSpan(Tensor t, int r) => new((float*)t.Address + ((long)r * t.Stride), t.Columns);

    private static float Get(Tensor t, int r, int c)
    {
        long at = ((long)r * t.Stride) + c;
        return t.Type switch
        {
            DType.F32 => ((float*)t.Address)[at],
            DType.BF16 => Bf16.ToSingle(((ushort*)t.Address)[at]),
            _ => (float)((Half*)t.Address)[at],
        };
    }

    private static void Set(Tensor t, int r, int c, float value)
    {
        long at = ((long)r * t.Stride) + c;
        switch (t.Type)
        {
            case DType.F32:
                ((float*)t.Address)[at] = value;
                break;
            case DType.BF16:
                ((ushort*)t.Address)[at] = Bf16.FromSingle(value);
                break;
            default:
                ((Half*)t.Address)[at] = (Half)value;
                break;
        }
    }
}
