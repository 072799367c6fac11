using System.Diagnostics;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Compute;

/// <summary>The fastest of several square products of one layout and size.</summary>
/// <param name="Layout">Layout of the product.</param>
/// <param name="Size">Rows, columns and depth.</param>
/// <param name="GigaflopsPerSecond">2 · size³ over the fastest time, in 10⁹ a second.</param>
public readonly record struct MatMulRate(MatMulLayout Layout, int Size, double GigaflopsPerSecond);

/// <summary>
/// What a device reaches in F32 matrix products alone: the peak that training is a share of, measured in the same process.
/// </summary>
public static class MatMulPeak
{
    private const int RepetitionsLeast = 3;
    private const int RepetitionsMost = 20;

    /// <summary>The sizes that the peak is looked for at.</summary>
    public static IReadOnlyList<int> Sizes { get; } = [1024, 2048, 4096];

    /// <summary>Measures every layout at every size.</summary>
    /// <param name="compute">The device; it must be idle.</param>
    /// <param name="seconds">Time given to each product. A size whose repetitions would take ten times that is left out.</param>
    /// <param name="sizes">Sizes; null: <see cref="Sizes"/>.</param>
    /// <param name="c">Ends the measurement.</param>
    /// <returns>The rates; the peak is the highest of them.</returns>
    public static IReadOnlyList<MatMulRate> Measure(
        ICompute compute, double seconds = 0.5, IReadOnlyList<int>? sizes = null, CancellationToken c = default)
    {
        List<MatMulRate> rates = [];
        double slowest = double.MaxValue;
        foreach (int size in sizes ?? Sizes)
        {
            double expected = 2.0 * size * size * size / (slowest * 1e9);
            if (slowest != double.MaxValue && expected * RepetitionsLeast > 10 * seconds)
            {
                continue;
            }

            using Arena arena = compute.CreateArena(3 * Arena.BytesFor(size, size, DType.F32));
            Tensor x = Random(compute, arena, size, 1);
            Tensor w = Random(compute, arena, size, 2);
            Tensor y = arena.Allocate(size, size);
            foreach (MatMulLayout layout in Enum.GetValues<MatMulLayout>())
            {
                c.ThrowIfCancellationRequested();
                double rate = Rate(compute, y, x, w, layout, seconds);
                rates.Add(new MatMulRate(layout, size, rate));
                slowest = Math.Min(slowest, rate);
            }
        }

        return rates;
    }

    private static Tensor Random(ICompute compute, Arena arena, int size, ulong stream)
    {
        Tensor made = arena.Allocate(size, size);
        float[] row = new float[size];
        for (int r = 0; r < size; r++)
        {
            for (int column = 0; column < size; column++)
            {
                row[column] = Philox.UniformAt(1, stream, (ulong)((r * (long)size) + column)) - 0.5f;
            }

            compute.Upload(made.SliceRows(r, 1), row);
        }

        return made;
    }

    private static double Rate(ICompute compute, Tensor y, Tensor x, Tensor w, MatMulLayout layout, double seconds)
    {
        compute.MatMul(y, x, w, layout);
        double best = double.MaxValue;
        double spent = 0;
        for (int i = 0; i < RepetitionsLeast || (spent < seconds && i < RepetitionsMost); i++)
        {
            long start = Stopwatch.GetTimestamp();
            compute.MatMul(y, x, w, layout);
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            best = Math.Min(best, elapsed);
            spent += elapsed;
        }

        return 2.0 * y.Rows * y.Columns * y.Rows / best / 1e9;
    }
}
