using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Kernels;

public sealed class AttentionTests
{
    // Scores are sums of up to 64 products and errors in them come back multiplied by values of order 1 (by p · (dp − D), a
    // sum of order √size, in the backward pass); exponentials are good to 2 ulp. Around 30 roundings, spread over three sums
    // in a row: 2e-5 forward and 1e-4 backward are some ten times what was observed.
    private const double Forward = 2e-5;
    private const double Backward = 1e-4;

    public static TheoryData<InstructionSet, int> All => Twins.All();

    [Theory]
    [MemberData(nameof(All))]
    public void Both_passes_equal_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        Compare(twins, [0, 1], new AttentionShape(1, 1, 8, 0.3f));
        Compare(twins, [0, 5, 6, 6, 23], new AttentionShape(2, 2, 16, 0.25f));
        Compare(twins, [0, 70, 167], new AttentionShape(4, 2, 12, 0.3f));
        Compare(twins, [0, 97, 300], new AttentionShape(2, 1, 33, 0.2f));
        Compare(twins, [0, 230], new AttentionShape(3, 1, 64, 0.125f));
        Compare(twins, [0], new AttentionShape(2, 1, 8, 0.125f));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Windows_and_caps_equal_the_reference(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        Compare(twins, [0, 33, 80], new AttentionShape(2, 1, 8, 0.3f, Window: 1));
        Compare(twins, [0, 33, 230], new AttentionShape(2, 2, 8, 0.3f, Window: 20));
        Compare(twins, [0, 200], new AttentionShape(2, 1, 17, 0.3f, Window: 70, SoftCap: 0.9f));
        Compare(twins, [0, 120], new AttentionShape(2, 1, 16, 0.9f, SoftCap: 3));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Tokens_of_one_segment_do_not_see_another(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        AttentionShape shape = new(2, 1, 16, 0.25f);
        using GuardedTensor q = GuardedTensor.Random(60, 32, 1, 2);
        using GuardedTensor k = GuardedTensor.Random(60, 16, 2, 2);
        using GuardedTensor v = GuardedTensor.Random(60, 16, 3, 2);
        using GuardedTensor packed = new(60, 32);
        using GuardedTensor alone = new(23, 32);
        using GuardedTensor lse = new(2, 60);
        using GuardedTensor lseAlone = new(2, 23);
        twins.Fast.AttentionForward(packed.Tensor, lse.Tensor, q.Tensor, k.Tensor, v.Tensor, [0, 37, 60], shape);
        twins.Fast.AttentionForward(
            alone.Tensor, lseAlone.Tensor, q.Tensor.SliceRows(37, 23), k.Tensor.SliceRows(37, 23), v.Tensor.SliceRows(37, 23),
            [0, 23], shape);
        Assert.Equal(packed.ToArray()[(37 * 32)..], alone.ToArray());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Decoding_equals_the_reference_and_the_last_row_of_a_forward_pass(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        foreach (AttentionShape shape in (AttentionShape[])
            [new(4, 2, 8, 0.3f), new(2, 1, 33, 0.2f, Window: 50), new(2, 2, 64, 0.125f, SoftCap: 2)])
        {
            int[] lengths = [1, 7, 256, 300, 700];
            GuardedTensor[] keys = [.. lengths.Select(n => GuardedTensor.Random(n, shape.KeyValueHeads * shape.HeadSize, (ulong)n, 2))];
            GuardedTensor[] values = [.. lengths.Select(n => GuardedTensor.Random(n, shape.KeyValueHeads * shape.HeadSize, (ulong)n + 9, 2, 3))];
            using GuardedTensor q = GuardedTensor.Random(lengths.Length, shape.Heads * shape.HeadSize, 5, 2, 1);
            using GuardedTensor expected = new(lengths.Length, q.Tensor.Columns);
            using GuardedTensor actual = new(lengths.Length, q.Tensor.Columns, 2);
            Tensor[] k = [.. keys.Select(t => t.Tensor)];
            Tensor[] v = [.. values.Select(t => t.Tensor)];
            twins.Slow.AttentionDecode(expected.Tensor, q.Tensor, k, v, lengths, shape);
            twins.Fast.AttentionDecode(actual.Tensor, q.Tensor, k, v, lengths, shape);
            Twins.Near($"{twins.Fast.Description} {shape}", expected, actual, 0, Forward);
            foreach (GuardedTensor t in keys.Concat(values))
            {
                t.Dispose();
            }
        }
    }

    [Fact]
    public void Results_are_the_same_bits_with_any_number_of_threads()
    {
        AttentionShape shape = new(4, 2, 16, 0.25f);
        float[]? first = null;
        foreach (int threads in (int[])[1, 2, 3, 7])
        {
            using CpuCompute compute = new(new ComputeOptions { Threads = threads });
            float[] now = [.. Gradients(compute, [0, 130, 190], shape, 1).SelectMany(t => t.ToArray())];
            first ??= now;
            Assert.Equal(first, now);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Large_scores_stay_finite(InstructionSet set, int threads)
    {
        using Twins twins = new(set, threads);
        foreach (GuardedTensor t in Gradients(twins.Fast, [0, 100], new AttentionShape(2, 1, 16, 1), 60))
        {
            Assert.All(t.ToArray(), value => Assert.True(float.IsFinite(value)));
            t.Dispose();
        }
    }

    private static void Compare(Twins twins, int[] segments, AttentionShape shape)
    {
        GuardedTensor[] expected = Gradients(twins.Slow, segments, shape, 2);
        GuardedTensor[] actual = Gradients(twins.Fast, segments, shape, 2);
        string[] names = ["o", "logsumexp", "dq", "dk", "dv"];
        for (int i = 0; i < names.Length; i++)
        {
            string what = $"{twins.Fast.Description} {names[i]} {shape} segments {string.Join(' ', segments)}";
            Twins.Near(what, expected[i], actual[i], i < 2 ? Forward : Backward, i < 2 ? Forward : Backward);
            expected[i].Dispose();
            actual[i].Dispose();
        }
    }

    private static GuardedTensor[] Gradients(ICompute compute, int[] segments, in AttentionShape shape, float scale)
    {
        int tokens = segments[^1];
        int wide = shape.Heads * shape.HeadSize;
        int narrow = shape.KeyValueHeads * shape.HeadSize;
        using GuardedTensor q = GuardedTensor.Random(tokens, wide, 1, scale, 3);
        using GuardedTensor k = GuardedTensor.Random(tokens, narrow, 2, scale);
        using GuardedTensor v = GuardedTensor.Random(tokens, narrow, 3, scale, 1);
        using GuardedTensor dO = GuardedTensor.Random(tokens, wide, 4, 1, 2);
        GuardedTensor o = new(tokens, wide, 4);
        GuardedTensor lse = new(shape.Heads, tokens);
        GuardedTensor dq = new(tokens, wide, 1);
        GuardedTensor dk = new(tokens, narrow, 2);
        GuardedTensor dv = new(tokens, narrow);
        compute.AttentionForward(o.Tensor, lse.Tensor, q.Tensor, k.Tensor, v.Tensor, segments, shape);
        compute.AttentionBackward(
            dq.Tensor, dk.Tensor, dv.Tensor, dO.Tensor, o.Tensor, lse.Tensor, q.Tensor, k.Tensor, v.Tensor, segments, shape);
        return [o, lse, dq, dk, dv];
    }
}
