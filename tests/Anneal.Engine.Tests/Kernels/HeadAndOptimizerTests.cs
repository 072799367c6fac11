using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Kernels;

public sealed class HeadAndOptimizerTests
{
    public static TheoryData<InstructionSet, int> All => Twins.All();

    [Theory]
    [MemberData(nameof(All))]
    public void Token_loss_equals_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        (int Rows, int Vocabulary, int Hidden, DType Type)[] shapes =
        [
            (1, 1, 1, DType.F32), (3, 7, 5, DType.F32), (1, 40, 16, DType.BF16), (17, 33, 20, DType.BF16), (40, 1030, 24, DType.F16),
            (25, 2100, 33, DType.F32), (1030, 50, 12, DType.F32),
        ];
        foreach ((int rows, int vocabulary, int hidden, DType type) in shapes)
        {
            using GuardedTensor x = GuardedTensor.Random(rows, hidden, 1, 2, 1);
            using GuardedTensor head = GuardedTensor.Random(vocabulary, hidden, 2, 2);
            using NarrowTensor narrow = new(head, type);
            Tensor weights = type == DType.F32 ? head.Tensor : narrow.Tensor;
            int[] targets = [.. Enumerable.Range(0, rows).Select(i => i * 7 % vocabulary)];
            float[] coefficients = [.. Enumerable.Range(0, rows).Select(i => i % 3 == 0 ? 0 : -1f / (i + 1))];
            using GuardedTensor dx = new(rows, hidden);
            using GuardedTensor dxFast = new(rows, hidden, 2);
            using GuardedTensor dHead = GuardedTensor.Random(vocabulary, hidden, 3);
            using GuardedTensor dHeadFast = dHead.Clone(1);
            float[] logp = new float[rows], logpFast = new float[rows], logpAlone = new float[rows];
            int[] best = new int[rows], bestFast = new int[rows], bestAlone = new int[rows];
            bool frozen = rows == 17;
            twins.Slow.TokenLoss(
                logp, best, dx.Tensor, frozen ? Tensor.None : dHead.Tensor, x.Tensor, weights, targets, coefficients);
            twins.Fast.TokenLoss(
                logpFast, bestFast, dxFast.Tensor, frozen ? Tensor.None : dHeadFast.Tensor, x.Tensor, weights, targets, coefficients);
            twins.Fast.TokenLogProbabilities(logpAlone, bestAlone, x.Tensor, weights, targets);

            // Logits are sums of `hidden` products up to 4, so good to 4 · √hidden · ulp at worst a few times over.
            double tolerance = 60 * Math.Sqrt(hidden) * Twins.Ulp;
            string what = $"{twins.Fast.Description} {rows}x{vocabulary}x{hidden} {type}";
            for (int i = 0; i < rows; i++)
            {
                Assert.True(Math.Abs(logp[i] - logpFast[i]) <= tolerance, $"{what}: log-probability {i}: {logp[i]} and {logpFast[i]}");
            }

            Assert.Equal(logpFast, logpAlone);
            Assert.Equal(best, bestFast);
            Assert.Equal(best, bestAlone);
            Twins.Near($"{what} dx", dx, dxFast, 0, tolerance * 4);
            Twins.Near($"{what} dHead", dHead, dHeadFast, 0, tolerance * 4);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Ties_predict_the_lowest_id_and_extreme_logits_stay_finite(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        using GuardedTensor x = new(2, 1);
        using GuardedTensor head = new(100, 1);
        using GuardedTensor dx = new(2, 1);
        (x[0, 0], x[1, 0]) = (0, 1e4f);
        for (int i = 0; i < 100; i++)
        {
            head[i, 0] = i is 41 or 77 ? 3 : -3;
        }

        float[] logp = new float[2];
        int[] best = new int[2];
        twins.Fast.TokenLoss(logp, best, dx.Tensor, Tensor.None, x.Tensor, head.Tensor, [5, 5], [-1, -1]);
        Assert.Equal([0, 41], best);
        Assert.Equal(-Math.Log(100), logp[0], 1e-6);
        Assert.Equal(-6e4 - Math.Log(2), logp[1], 1e-2);
        Assert.True(float.IsFinite(dx[0, 0]) && float.IsFinite(dx[1, 0]));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void AdamW_follows_the_reference_for_ten_steps(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        foreach (int n in (int[])[1, 7, 8, 9, 31, 64, 100, 40000])
        {
            using GuardedTensor p = GuardedTensor.Random(1, n, 1);
            using GuardedTensor m = GuardedTensor.Random(1, n, 2, 0);
            using GuardedTensor v = GuardedTensor.Random(1, n, 3, 0);
            using GuardedTensor pFast = p.Clone();
            using GuardedTensor mFast = m.Clone();
            using GuardedTensor vFast = v.Clone();
            for (int step = 1; step <= 10; step++)
            {
                using GuardedTensor g = GuardedTensor.Random(1, n, (ulong)step + 10, step == 4 ? 1e-4f : 1);
                AdamWStep s = new(1e-2, 0.9, 0.999, 1e-8, 0.1, 0.5, step);
                twins.Slow.AdamW(p.Tensor, g.Tensor, m.Tensor, v.Tensor, s);
                twins.Fast.AdamW(pFast.Tensor, g.Tensor, mFast.Tensor, vFast.Tensor, s);
            }

            // Ten steps, each with a handful of roundings of parameters below 2, first moments below 1/2 and second below 1/4.
            Twins.Near($"{twins.Fast.Description} parameter {n}", p, pFast, 0, 20 * Twins.Ulp);
            Twins.Near($"{twins.Fast.Description} first moment {n}", m, mFast, 1e-6, 10 * Twins.Ulp / 4);
            Twins.Near($"{twins.Fast.Description} second moment {n}", v, vFast, 1e-5, 1e-10);
        }
    }
}
