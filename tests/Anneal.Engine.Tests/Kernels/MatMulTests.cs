using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Kernels;

public sealed class MatMulTests
{
    private static readonly int[] Sizes =
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 18, 19, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 97];

    public static TheoryData<InstructionSet, int> All => Twins.All();

    [Theory]
    [MemberData(nameof(All))]
    public void Products_of_all_shapes_equal_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        for (int i = 0; i < 240; i++)
        {
            int Draw(ulong which) => Sizes[Philox.BelowAt(11, which, (ulong)i, Sizes.Length)];
            Compare(twins, Draw(1), Draw(2), Draw(3), (MatMulLayout)(i % 3), i);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Products_that_cross_blocks_equal_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        (int M, int N, int K)[] shapes =
        [
            (17, 33, 255), (17, 33, 256), (17, 33, 257), (19, 18, 383), (19, 18, 385), (18, 17, 511), (17, 18, 513),
            (18, 17, 770), (103, 40, 30), (20, 3075, 5), (3074, 5, 9), (17, 6200, 3), (50, 70, 512), (64, 200, 1024),
        ];
        for (int i = 0; i < shapes.Length * 3; i++)
        {
            (int m, int n, int k) = shapes[i / 3];
            Compare(twins, m, n, k, (MatMulLayout)(i % 3), i);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_few_rows_times_a_matrix_equal_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        for (int m = 1; m <= 18; m++)
        {
            Compare(twins, m, 67, 131, MatMulLayout.NT, m);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_row_does_not_depend_on_the_rows_beside_it(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        using GuardedTensor x = GuardedTensor.Random(16, 77, 1);
        using GuardedTensor w = GuardedTensor.Random(45, 77, 2);
        using GuardedTensor all = new(16, 45);
        twins.Fast.MatMul(all.Tensor, x.Tensor, w.Tensor, MatMulLayout.NT);
        for (int m = 1; m < 16; m++)
        {
            using GuardedTensor some = new(m, 45);
            twins.Fast.MatMul(some.Tensor, x.Tensor.SliceRows(0, m), w.Tensor, MatMulLayout.NT);
            Assert.Equal(all.ToArray()[..(m * 45)], some.ToArray());
        }
    }

    [Fact]
    public void Results_are_the_same_bits_with_any_number_of_threads()
    {
        foreach (MatMulLayout layout in Enum.GetValues<MatMulLayout>())
        {
            float[]? first = null;
            foreach (int threads in (int[])[1, 2, 3, 7])
            {
                using CpuCompute compute = new(new ComputeOptions { Threads = threads });
                using GuardedTensor x = GuardedTensor.Random(130, 130, 1);
                using GuardedTensor w = GuardedTensor.Random(130, 130, 2);
                using GuardedTensor y = new(130, 130);
                compute.MatMul(y.Tensor, x.Tensor, w.Tensor, layout);
                first ??= y.ToArray();
                Assert.Equal(first, y.ToArray());
            }
        }
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_with_both_named()
    {
        using CpuCompute compute = new(new ComputeOptions { Threads = 1 });
        using GuardedTensor x = new(3, 4);
        using GuardedTensor w = new(5, 6);
        using GuardedTensor y = new(3, 5);
        ArgumentException e = Assert.Throws<ArgumentException>(() => compute.MatMul(y.Tensor, x.Tensor, w.Tensor, MatMulLayout.NT));
        Assert.Contains("F32[3, 4]", e.Message, StringComparison.Ordinal);
        Assert.Contains("F32[5, 6]", e.Message, StringComparison.Ordinal);
    }

    private static void Compare(Twins twins, int m, int n, int k, MatMulLayout layout, int variant)
    {
        bool transposed = layout == MatMulLayout.TN;
        int gap = variant % 4;
        float alpha = variant % 5 == 0 ? 0.75f : 1;
        bool accumulate = variant % 2 == 0;
        DType type = (variant % 7) switch { 1 or 4 => DType.BF16, 2 => DType.F16, _ => DType.F32 };
        using GuardedTensor x = GuardedTensor.Random(transposed ? k : m, transposed ? m : k, 1, 1, gap);
        int rows = layout == MatMulLayout.NT ? n : k;
        int columns = layout == MatMulLayout.NT ? k : n;
        using GuardedTensor w = GuardedTensor.Random(rows, columns, 2, 1, gap);
        using NarrowTensor narrow = new(w, type);
        Tensor second = type == DType.F32 ? w.Tensor : narrow.Tensor;
        using GuardedTensor expected = GuardedTensor.Random(m, n, 3, 1, gap);
        using GuardedTensor actual = expected.Clone(gap);
        twins.Slow.MatMul(expected.Tensor, x.Tensor, second, layout, alpha, accumulate);
        twins.Fast.MatMul(actual.Tensor, x.Tensor, second, layout, alpha, accumulate);

        // Higham and Mary (2019): rounding errors of k terms add up to λ·√k·u·Σ|x||w| with high probability; |x|, |w| ≤ 1
        // average to 1/4 a term, λ = 6. Two more roundings for alpha and the sum.
        double tolerance = 6 * Math.Sqrt(k + 2) * Twins.Ulp * ((k / 4.0) + 1);
        string what = $"{twins.Fast.Description} {layout} {m}x{n}x{k} {type} alpha {alpha} accumulate {accumulate} gap {gap}";
        Twins.Near(what, expected, actual, 0, tolerance);
        x.AssertBordersIntact();
    }
}
