using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Kernels;

/// <summary>Norm, rotary positions, gated MLP, embedding, bias, dropout, copies: every length up to 130 and some beyond.</summary>
public sealed class BlockTests
{
    private static readonly int[] Lengths = [.. Enumerable.Range(0, 131), 192, 255, 256, 257, 1000];

    public static TheoryData<InstructionSet, int> All => Twins.All();

    [Theory]
    [MemberData(nameof(All))]
    public void Rms_norm_equals_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        foreach (int n in Lengths.Where(n => n > 0))
        {
            int rows = 1 + (n % 37);
            using GuardedTensor x = GuardedTensor.Random(rows, n, 1, 3, n % 3);
            using GuardedTensor w = GuardedTensor.Random(1, n, 2);
            using NarrowTensor narrow = new(w, n % 2 == 0 ? DType.BF16 : DType.F16);
            Tensor weight = n % 3 == 0 ? w.Tensor : narrow.Tensor;
            using GuardedTensor dy = GuardedTensor.Random(rows, n, 3, 1, n % 2);
            using GuardedTensor y = new(rows, n);
            using GuardedTensor yFast = new(rows, n, 2);
            using GuardedTensor rstd = new(rows, 1);
            using GuardedTensor rstdFast = new(rows, 1);
            twins.Slow.RmsNormForward(y.Tensor, rstd.Tensor, x.Tensor, weight, 1e-5f);
            twins.Fast.RmsNormForward(yFast.Tensor, rstdFast.Tensor, x.Tensor, weight, 1e-5f);

            // A sum of n positive squares is good to √n ulp, the root halves that; five roundings more.
            double tolerance = (Math.Sqrt(n) + 8) * 2 * Twins.Ulp;
            Twins.Near($"{twins.Fast.Description} y {n}", y, yFast, tolerance, 1e-30);
            Twins.Near($"{twins.Fast.Description} rstd {n}", rstd, rstdFast, tolerance, 0);

            using GuardedTensor dx = GuardedTensor.Random(rows, n, 4);
            using GuardedTensor dw = GuardedTensor.Random(1, n, 5);
            using GuardedTensor dxFast = dx.Clone(1);
            using GuardedTensor dwFast = dw.Clone();
            Tensor wanted = n % 5 == 4 ? Tensor.None : dw.Tensor;
            Tensor wantedFast = n % 5 == 4 ? Tensor.None : dwFast.Tensor;
            bool accumulate = n % 2 == 0;
            twins.Slow.RmsNormBackward(dx.Tensor, wanted, dy.Tensor, x.Tensor, rstd.Tensor, weight, accumulate);
            twins.Fast.RmsNormBackward(dxFast.Tensor, wantedFast, dy.Tensor, x.Tensor, rstd.Tensor, weight, accumulate);

            // Here terms of both signs meet: the error is that of their sizes, rstd · (1 + √n-fold sums over n).
            double largest = Enumerable.Range(0, rows).Max(r => rstd[r, 0]) + 1;
            Twins.Near($"{twins.Fast.Description} dx {n}", dx, dxFast, tolerance, tolerance * 4 * largest);
            Twins.Near($"{twins.Fast.Description} dw {n}", dw, dwFast, tolerance, (rows + 2) * 2 * Twins.Ulp * Math.Sqrt(n));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Rms_norm_may_write_over_its_own_gradient(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        using GuardedTensor x = GuardedTensor.Random(20, 45, 1);
        using GuardedTensor w = GuardedTensor.Random(1, 45, 2);
        using GuardedTensor rstd = GuardedTensor.Random(20, 1, 3);
        using GuardedTensor dy = GuardedTensor.Random(20, 45, 4);
        using GuardedTensor apart = new(20, 45);
        twins.Fast.RmsNormBackward(apart.Tensor, Tensor.None, dy.Tensor, x.Tensor, rstd.Tensor, w.Tensor, accumulate: false);
        twins.Fast.RmsNormBackward(dy.Tensor, Tensor.None, dy.Tensor, x.Tensor, rstd.Tensor, w.Tensor, accumulate: false);
        Assert.Equal(apart.ToArray(), dy.ToArray());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Rope_equals_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        for (int half = 0; half <= 40; half++)
        {
            int size = (2 * half) + 1 + (half % 3);
            using GuardedTensor x = GuardedTensor.Random(23, 3 * size, 1, 1, half % 2);
            using GuardedTensor fast = x.Clone(2);
            using GuardedTensor cos = GuardedTensor.Random(23, half, 2);
            using GuardedTensor sin = GuardedTensor.Random(23, half, 3, 1, 1);
            twins.Slow.Rope(x.Tensor, cos.Tensor, sin.Tensor, size, half % 2 == 0);
            twins.Fast.Rope(fast.Tensor, cos.Tensor, sin.Tensor, size, half % 2 == 0);
            Twins.Near($"{twins.Fast.Description} {half}", x, fast, 0, 3 * Twins.Ulp);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Gated_mlp_equals_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        foreach (Activation activation in Enum.GetValues<Activation>())
        {
            foreach (int n in Lengths)
            {
                using GuardedTensor gate = GuardedTensor.Random(3, n, 1, 12, n % 3);
                using GuardedTensor up = GuardedTensor.Random(3, n, 2, 2, n % 2);
                using GuardedTensor dy = GuardedTensor.Random(3, n, 3, 2);
                using GuardedTensor y = new(3, n);
                using GuardedTensor yFast = new(3, n, 1);
                twins.Slow.GatedMlpForward(y.Tensor, gate.Tensor, up.Tensor, activation);
                twins.Fast.GatedMlpForward(yFast.Tensor, gate.Tensor, up.Tensor, activation);

                // The activation is good to some 6 ulp; far down the tail its argument's rounding is magnified, where the
                // value itself is below 1e-6 of the gate.
                Twins.Near($"{twins.Fast.Description} {activation} {n}", y, yFast, 16 * Twins.Ulp, 2e-8);

                using GuardedTensor dGate = new(3, n);
                using GuardedTensor dUp = new(3, n);
                using GuardedTensor dGateFast = gate.Clone(1);
                using GuardedTensor dUpFast = up.Clone(2);
                twins.Slow.GatedMlpBackward(dGate.Tensor, dUp.Tensor, dy.Tensor, gate.Tensor, up.Tensor, activation);
                twins.Fast.GatedMlpBackward(
                    dGateFast.Tensor, dUpFast.Tensor, dy.Tensor, dGateFast.Tensor, dUpFast.Tensor, activation);
                Twins.Near($"{twins.Fast.Description} {activation} dGate {n}", dGate, dGateFast, 16 * Twins.Ulp, 3e-6);
                Twins.Near($"{twins.Fast.Description} {activation} dUp {n}", dUp, dUpFast, 16 * Twins.Ulp, 2e-8);
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sums_scales_and_biases_equal_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        foreach (int n in Lengths)
        {
            int rows = 1 + (n % 70);
            using GuardedTensor x = GuardedTensor.Random(rows, n, 1, 1, n % 2);
            using GuardedTensor bias = GuardedTensor.Random(1, n, 2);
            using NarrowTensor narrow = new(bias, n % 3 == 0 ? DType.BF16 : DType.F16);
            Tensor added = n % 4 == 0 ? narrow.Tensor : bias.Tensor;
            using GuardedTensor y = GuardedTensor.Random(rows, n, 3, 1, n % 3);
            using GuardedTensor fast = y.Clone(n % 2);
            foreach ((ICompute compute, Tensor target) in (ReadOnlySpan<(ICompute, Tensor)>)
                [(twins.Slow, y.Tensor), (twins.Fast, fast.Tensor)])
            {
                compute.AddScaled(target, x.Tensor, 0.7f);
                compute.Scale(target, 1.3f);
                compute.AddBias(target, added);
            }

            Twins.Near($"{twins.Fast.Description} {n}", y, fast, 0, 10 * Twins.Ulp);
            using GuardedTensor dBias = GuardedTensor.Random(1, n, 4);
            using GuardedTensor dBiasFast = dBias.Clone();
            twins.Slow.BiasGradient(dBias.Tensor, x.Tensor);
            twins.Fast.BiasGradient(dBiasFast.Tensor, x.Tensor);
            Twins.Near($"{twins.Fast.Description} gradient {n}", dBias, dBiasFast, 0, (rows + 2) * Twins.Ulp * 2);
            double squares = twins.Slow.SumOfSquares(x.Tensor);
            Assert.Equal(squares, twins.Fast.SumOfSquares(x.Tensor), squares * 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Rows_copies_and_dropout_are_exact(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        foreach (int n in Lengths.Where(n => n > 0))
        {
            using GuardedTensor table = GuardedTensor.Random(9, n, 1, 3, n % 2);
            int[] ids = [.. Enumerable.Range(0, 33).Select(i => i * 5 % 9)];
            int[] distinct = [7, 0, 3];
            using NarrowTensor narrow = new(table, n % 2 == 0 ? DType.BF16 : DType.F16);
            using GuardedTensor dy = GuardedTensor.Random(33, n, 2);
            GuardedTensor[][] both = [Outputs(n), Outputs(n)];
            for (int i = 0; i < 2; i++)
            {
                ICompute compute = i == 0 ? twins.Slow : twins.Fast;
                compute.EmbeddingForward(both[i][0].Tensor, narrow.Tensor, ids, 2);
                compute.EmbeddingBackward(both[i][1].Tensor, dy.Tensor, ids, 0.5f);
                compute.GatherRows(both[i][2].Tensor, table.Tensor, distinct);
                compute.ScatterAddRows(both[i][3].Tensor, dy.Tensor.SliceRows(4, 3), distinct);
                compute.Dropout(both[i][4].Tensor, dy.Tensor, 0.3f, 77, 5);
                compute.Copy(both[i][5].Tensor, narrow.Tensor);
                compute.Fill(both[i][6].Tensor, n);
            }

            for (int k = 0; k < both[0].Length; k++)
            {
                // Powers of two as scales: nothing rounds differently when it is fused.
                Twins.Near($"{twins.Fast.Description} output {k} of {n}", both[0][k], both[1][k], 0, 0);
                both[0][k].Dispose();
                both[1][k].Dispose();
            }
        }

        static GuardedTensor[] Outputs(int n) =>
        [
            new(33, n, 1), GuardedTensor.Random(9, n, 3), new(3, n, 2), GuardedTensor.Random(9, n, 4), new(33, n), new(9, n, 1),
            new(2, n, 1),
        ];
    }

    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    public void Copies_into_narrow_storage_round_as_the_reference(DType type)
    {
        using Twins twins = new(InstructionSets.Best, 2);
        using GuardedTensor x = GuardedTensor.Random(5, 37, 1, 100);
        x[0, 0] = float.NaN;
        x[0, 1] = float.PositiveInfinity;
        x[0, 2] = 1e-7f;
        x[0, 3] = 7e4f;
        using GuardedTensor zero = new(5, 37);
        using NarrowTensor slow = new(zero, type);
        using NarrowTensor fast = new(zero, type);
        twins.Slow.Copy(slow.Tensor, x.Tensor);
        twins.Fast.Copy(fast.Tensor, x.Tensor);
        Assert.Equal(slow.Tensor.AsSpan<ushort>(), fast.Tensor.AsSpan<ushort>());
        float[] back = new float[5 * 37];
        float[] backSlow = new float[5 * 37];
        twins.Fast.Download(back, fast.Tensor);
        twins.Slow.Download(backSlow, slow.Tensor);
        Assert.Equal(backSlow, back);
    }

    [Fact]
    public void Dropout_keeps_what_its_probability_says_and_the_expected_sum()
    {
        using CpuCompute compute = new();
        using GuardedTensor x = new(100, 1000);
        using GuardedTensor y = new(100, 1000);
        compute.Fill(x.Tensor, 1);
        compute.Dropout(y.Tensor, x.Tensor, 0.25f, 1, 2);
        int kept = y.ToArray().Count(v => v != 0);

        // 100000 draws with p = 3/4: standard deviation 137; six of them.
        Assert.InRange(kept, 75000 - 822, 75000 + 822);
        Assert.All(y.ToArray(), v => Assert.True(v is 0 or (4f / 3)));
    }
}
