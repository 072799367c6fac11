using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>Which elements dropout keeps, and what it multiplies them by: the same for every device.</summary>
internal static class DropoutRule
{
    /// <summary>An element is kept when its 32 random bits, as an integer, are at least this: p · 2³².</summary>
    public static uint Threshold(float probability) => (uint)(probability * 4294967296.0);

    /// <summary>Factor on kept elements, so that the expected value stays.</summary>
    public static float Scale(float probability) => (float)(1 / (1 - (double)probability));
}

/// <summary>
/// Inverted dropout. Four neighbours share one evaluation of the generator, whose 20 multiplications are the cost: four
/// evaluations run side by side in 64-bit lanes where AVX2 multiplies 32 bits to 64.
/// </summary>
internal static unsafe class Dropout
{
    private const int ElementsPerTask = 16384;

    /// <summary>Elements whose bits are drawn together.</summary>
    private const int Draw = 16;

    /// <param name="pool">Threads.</param>
    /// <param name="y">Result; may be x.</param>
    /// <param name="x">Input.</param>
    /// <param name="probability">Share of elements that become 0.</param>
    /// <param name="seed">Key of the generator.</param>
    /// <param name="stream">Stream of the generator.</param>
    /// <param name="vectors">Whether vectors may be used; the result is the same.</param>
    public static void Apply(
        WorkerPool pool, Tensor y, Tensor x, float probability, ulong seed, ulong stream, bool vectors)
    {
        Work work = new()
        {
            Y = y,
            X = x,
            Threshold = DropoutRule.Threshold(probability),
            Scale = DropoutRule.Scale(probability),
            Seed = seed,
            Stream = stream,
            Vectors = vectors && Avx2.IsSupported,
            RowsPerTask = Math.Max(1, ElementsPerTask / Math.Max(1, x.Columns)),
        };
        pool.Run(&Task, &work, Gemm.Divide(x.Rows, work.RowsPerTask));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Task(void* context, int task, int worker)
    {
        Work* work = (Work*)context;
        int columns = work->X.Columns;
        int end = Math.Min((task + 1) * work->RowsPerTask, work->X.Rows);
        uint* bits = stackalloc uint[Draw];
        for (nint r = task * work->RowsPerTask; r < end; r++)
        {
            float* y = (float*)work->Y.Address + (r * work->Y.Stride);
            float* x = (float*)work->X.Address + (r * work->X.Stride);
            ulong index = (ulong)r * (uint)columns;
            for (int c = 0; c < columns;)
            {
                // A row need not start at a multiple of four.
                int skip = (int)((index + (uint)c) & 3);
                ulong block = (index + (uint)c) >> 2;
                int count = Math.Min(Draw - skip, columns - c);
                if (work->Vectors)
                {
                    FourBlocks(bits, work->Seed, work->Stream, block);
                }
                else
                {
                    count = Math.Min(4 - skip, count);
                    (bits[0], bits[1], bits[2], bits[3]) = Philox.Block(work->Seed, work->Stream, block);
                }

                if (count == Draw)
                {
                    Keep(bits, x + c, y + c, work);
                    Keep(bits + 8, x + c + 8, y + c + 8, work);
                }
                else
                {
                    for (int j = 0; j < count; j++)
                    {
                        y[c + j] = x[c + j] * (bits[skip + j] >= work->Threshold ? work->Scale : 0);
                    }
                }

                c += count;
            }
        }
    }

    /// <summary>Eight elements, without a branch that chance would mispredict.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(uint* bits, float* x, float* y, Work* work)
    {
        Vector256<uint> keep = Vector256.GreaterThanOrEqual(Vector256.Load(bits), Vector256.Create(work->Threshold));
        (Vector256.Load(x) * (keep.AsSingle() & Vector256.Create(work->Scale))).Store(y);
    }

    /// <summary>The words of <see cref="Philox.Block"/> for four blocks in a row.</summary>
    private static void FourBlocks(uint* bits, ulong seed, ulong stream, ulong block)
    {
        // Each 64-bit lane carries one 32-bit word of one block. Multiplication reads the lower halves only, so what shifts and
        // exclusive ors leave in the upper ones does no harm.
        Vector256<ulong> counter = Vector256.Create(block) + Vector256.Create(0ul, 1, 2, 3);
        Vector256<ulong> c0 = counter;
        Vector256<ulong> c1 = counter >>> 32;
        Vector256<ulong> c2 = Vector256.Create(stream);
        Vector256<ulong> c3 = Vector256.Create(stream >> 32);
        uint k0 = (uint)seed;
        uint k1 = (uint)(seed >> 32);
        for (int round = 0; round < Philox.Rounds; round++)
        {
            Vector256<ulong> a = Avx2.Multiply(c0.AsUInt32(), Vector256.Create((ulong)Philox.MultiplierA).AsUInt32());
            Vector256<ulong> b = Avx2.Multiply(c2.AsUInt32(), Vector256.Create((ulong)Philox.MultiplierB).AsUInt32());
            c0 = (b >>> 32) ^ c1 ^ Vector256.Create((ulong)k0);
            c2 = (a >>> 32) ^ c3 ^ Vector256.Create((ulong)k1);
            c1 = b;
            c3 = a;
            k0 += Philox.WeylA;
            k1 += Philox.WeylB;
        }

        Vector256<uint> low = Vector256.Create(0x0000_0000_FFFF_FFFFul).AsUInt32();
        Vector256<uint> first = Vector256.ConditionalSelect(low, c0.AsUInt32(), (c1 << 32).AsUInt32());
        Vector256<uint> second = Vector256.ConditionalSelect(low, c2.AsUInt32(), (c3 << 32).AsUInt32());
        Vector256<ulong> even = Avx2.UnpackLow(first.AsUInt64(), second.AsUInt64());
        Vector256<ulong> odd = Avx2.UnpackHigh(first.AsUInt64(), second.AsUInt64());
        Avx2.Permute2x128(even, odd, 0x20).AsUInt32().Store(bits);
        Avx2.Permute2x128(even, odd, 0x31).AsUInt32().Store(bits + 8);
    }

    private struct Work
    {
        public Tensor Y;
        public Tensor X;
        public ulong Seed;
        public ulong Stream;
        public uint Threshold;
        public float Scale;
        public int RowsPerTask;
        public bool Vectors;
    }
}
