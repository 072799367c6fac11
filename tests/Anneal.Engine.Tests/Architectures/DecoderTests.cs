using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Architectures;

public sealed class DecoderTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradients_are_the_slopes_of_the_loss(bool everything)
    {
        using BaseModel model = TinyModel.Create(everything);
        using ICompute compute = TestDecoder.CreateCompute();
        using ParameterSet parameters = ParameterSet.ForFull(compute, model, decayVectors: true);
        List<TokenizedExample> examples = TinyModel.Examples(3);
        using TestDecoder decoder = new(compute, model.Config, parameters.Parameters, 64, 3);
        decoder.LossAndGradients(examples);
        float[][] gradients = [.. parameters.Tensors.Select(t => t.Gradient.AsSpan<float>().ToArray())];
        Random random = new(11);

        // A central difference at h of an F32 loss near 4 is uncertain by 4·2⁻²⁴/h ≈ 6e-5 for h = 4e-3, besides h² terms.
        const float step = 4e-3f;
        for (int p = 0; p < parameters.Tensors.Count; p++)
        {
            float[] numbers = parameters.Tensors[p].Value.AsSpan<float>().ToArray();
            int at = random.Next(numbers.Length);
            float old = numbers[at];
            double Loss(float value)
            {
                parameters.Tensors[p].Value.AsSpan<float>()[at] = value;
                return decoder.LossAndGradients(examples);
            }

            double slope = (Loss(old + step) - Loss(old - step)) / (2 * step);
            parameters.Tensors[p].Value.AsSpan<float>()[at] = old;
            double tolerance = 3e-3 + (2e-2 * Math.Abs(slope));
            Assert.True(
                Math.Abs(slope - gradients[p][at]) <= tolerance,
                $"{parameters.Tensors[p].Spec.Name}[{at}]: slope {slope:E3}, gradient {gradients[p][at]:E3}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Recomputed_blocks_give_the_bits_of_kept_ones(bool dropout)
    {
        using BaseModel model = TinyModel.Create(everything: true);
        List<TokenizedExample> examples = TinyModel.Examples(4);
        float[][] kept = Gradients(model, examples, slots: 3, dropout);
        for (int slots = 1; slots < 3; slots++)
        {
            float[][] recomputed = Gradients(model, examples, slots, dropout);
            for (int p = 0; p < kept.Length; p++)
            {
                Assert.Equal(kept[p], recomputed[p]);
            }
        }
    }

    [Fact]
    public void A_packed_batch_has_the_loss_and_gradients_of_its_examples_one_by_one()
    {
        using BaseModel model = TinyModel.Create(everything: true);
        using ICompute compute = TestDecoder.CreateCompute();
        using ParameterSet parameters = ParameterSet.ForFull(compute, model, decayVectors: true);
        List<TokenizedExample> examples = TinyModel.Examples(5);
        using TestDecoder decoder = new(compute, model.Config, parameters.Parameters, 96, 5);
        double packed = decoder.LossAndGradients(examples);
        float[][] packedGradients = [.. parameters.Tensors.Select(t => t.Gradient.AsSpan<float>().ToArray())];

        parameters.ClearGradients();
        double total = examples.Sum(e => e.Weights.Skip(1).Sum(w => (double)w));
        double separate = 0;
        double[][] sums = [.. packedGradients.Select(g => new double[g.Length])];
        foreach (TokenizedExample example in examples)
        {
            parameters.ClearGradients();
            double share = example.Weights.Skip(1).Sum(w => (double)w) / total;
            separate += share * decoder.LossAndGradients([example]);
            for (int p = 0; p < sums.Length; p++)
            {
                ReadOnlySpan<float> gradient = parameters.Tensors[p].Gradient.AsSpan<float>();
                for (int i = 0; i < gradient.Length; i++)
                {
                    sums[p][i] += share * gradient[i];
                }
            }
        }

        Assert.Equal(separate, packed, 1e-6);
        for (int p = 0; p < sums.Length; p++)
        {
            float[] expected = [.. sums[p].Select(s => (float)s)];
            ReferenceCase.AssertClose(
                parameters.Tensors[p].Spec.Name, expected, packedGradients[p], 1e-6 + (1e-5 * ReferenceCase.Largest(expected)));
        }
    }

    [Fact]
    public void An_adapter_that_is_switched_off_leaves_the_base_model()
    {
        using BaseModel model = TinyModel.Create();
        using ICompute compute = TestDecoder.CreateCompute();
        using ParameterSet parameters = RandomAdapter(compute, model, 0);
        using TestDecoder plain = new(compute, model.Config, new DecoderParameters(model.Weights), 16, 1);
        using TestDecoder adapted = new(compute, model.Config, parameters.Parameters, 16, 1);
        int[] ids = [1, 5, 9, 30, 2];
        float[] expected = plain.Logits(ids);
        Assert.NotEqual(expected, adapted.Logits(ids));
        adapted.Decoder.SetAdapter(false);
        Assert.Equal(expected, adapted.Logits(ids));
    }

    [Fact]
    public void Adapter_gradients_do_not_depend_on_which_other_layers_are_adapted()
    {
        // The backward pass stops early where nothing below is trained: what it does leave must be right all the same.
        using BaseModel model = TinyModel.Create(everything: true);
        using ICompute compute = TestDecoder.CreateCompute();
        List<TokenizedExample> examples = TinyModel.Examples(3);
        using ParameterSet full = ParameterSet.ForFull(compute, model, decayVectors: true);
        using TestDecoder decoder = new(compute, model.Config, full.Parameters, 64, 3);
        decoder.LossAndGradients(examples);
        foreach (string target in LoraOptions.AllTargets)
        {
            using ParameterSet adapter = RandomAdapter(compute, model, 0, target, zeroB: true);
            using TestDecoder adapted = new(compute, model.Config, adapter.Parameters, 64, 3);
            adapted.LossAndGradients(examples);
            foreach (LoraPair pair in adapter.Parameters.AdapterGradients!.Pairs)
            {
                // With B = 0 the network is the base's, and dB = scale · dW · Aᵀ.
                LoraPair values = adapter.Parameters.Adapter!.Pair(pair.Slot.Layer, pair.Slot.Projection)!;
                string name = DecoderConfig.ModuleName(pair.Slot.Layer, pair.Slot.Projection) + ".weight";
                using Arena arena = compute.CreateArena(1 << 16);
                Tensor expected = arena.Allocate(pair.B.Rows, pair.B.Columns);
                compute.MatMul(expected, full.ByName[name].Gradient, values.A, MatMulLayout.NT, pair.Slot.Scale);
                float[] wanted = expected.AsSpan<float>().ToArray();
                ReferenceCase.AssertClose(
                    name, wanted, pair.B.AsSpan<float>().ToArray(), 1e-6 + (1e-4 * ReferenceCase.Largest(wanted)));
            }
        }
    }

    [Fact]
    public void Dropout_keeps_the_expectation_and_its_backward_pass_draws_the_same_mask()
    {
        using BaseModel model = TinyModel.Create();
        using ICompute compute = TestDecoder.CreateCompute();
        using ParameterSet parameters = RandomAdapter(compute, model, 0.3f);
        List<TokenizedExample> examples = TinyModel.Examples(2);
        using TestDecoder decoder = new(compute, model.Config, parameters.Parameters, 32, 2);
        double Loss() => Pass(decoder, examples, 0.3f);
        Loss();
        TrainedTensor tensor = parameters.Tensors[0];
        float[] gradient = tensor.Gradient.AsSpan<float>().ToArray();
        for (int at = 0; at < gradient.Length; at += 7)
        {
            Span<float> numbers = tensor.Value.AsSpan<float>();
            float old = numbers[at];
            numbers[at] = old + 4e-3f;
            double above = Loss();
            tensor.Value.AsSpan<float>()[at] = old - 4e-3f;
            double below = Loss();
            tensor.Value.AsSpan<float>()[at] = old;
            Assert.Equal((above - below) / 8e-3, gradient[at], 3e-3);
        }
    }

    private static float[][] Gradients(BaseModel model, List<TokenizedExample> examples, int slots, bool dropout)
    {
        using ICompute compute = TestDecoder.CreateCompute();
        using ParameterSet parameters = RandomAdapter(compute, model, dropout ? 0.2f : 0);
        using TestDecoder decoder = new(compute, model.Config, parameters.Parameters, 64, 4, slots);
        Pass(decoder, examples, dropout ? 0.2f : 0);
        return [.. parameters.Tensors.Select(t => t.Gradient.AsSpan<float>().ToArray())];
    }

    private static double Pass(TestDecoder decoder, List<TokenizedExample> examples, float dropout)
    {
        MicroBatch batch = decoder.Batch;
        batch.Clear();
        examples.ForEach(e => batch.AddExample(e));
        float[] logProbabilities = new float[batch.Rows];
        float[] coefficients = new float[batch.Rows];
        Array.Fill(coefficients, -1f / batch.Rows);
        decoder.Decoder.Forward(batch, new DropoutDraw(dropout, 9, 1UL << 32));
        decoder.Decoder.Backward(logProbabilities, new int[batch.Rows], coefficients, batch);
        return -logProbabilities.Average(l => (double)l);
    }

    private static ParameterSet RandomAdapter(
        ICompute compute, BaseModel model, float dropout, string targets = "all", bool zeroB = false)
    {
        LoraOptions options = new() { Rank = 3, Alpha = 6, Dropout = dropout, Targets = LoraOptions.ParseTargets(targets) };
        ParameterSet parameters = ParameterSet.ForAdapter(compute, model, options, LoraAdapter.Layout(model.Config, options));
        Random random = new(2);
        foreach (TrainedTensor tensor in parameters.Tensors)
        {
            Span<float> numbers = tensor.Value.AsSpan<float>();
            bool zero = zeroB && tensor.Spec.Name.Contains("lora_B", StringComparison.Ordinal);
            for (int i = 0; i < numbers.Length; i++)
            {
                numbers[i] = zero ? 0 : 0.4f * ((2 * random.NextSingle()) - 1);
            }
        }

        return parameters;
    }
}
