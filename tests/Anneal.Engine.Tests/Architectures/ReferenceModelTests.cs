using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Architectures;

/// <summary>Logits, losses and every gradient against transformers and PEFT; tolerances as the reference's README states.</summary>
public sealed class ReferenceModelTests
{
    public static TheoryData<string> Folders => ReferenceCase.Folders();

    [Theory]
    [MemberData(nameof(Folders))]
    public void Logits_equal_those_of_transformers(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        using BaseModel model = BaseModel.Load(folder);
        AssertLogits(reference, model, null, "logits.safetensors");
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Logits_with_an_adapter_equal_those_of_peft(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        using BaseModel model = BaseModel.Load(folder);
        using ICompute compute = TestDecoder.CreateCompute();
        using LoraAdapter adapter = LoraCheckpoint.Load(reference.AdapterFolder, model.Config, compute);
        AssertLogits(reference, model, adapter, "lora.safetensors");
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Loss_and_every_gradient_equal_those_of_transformers(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        using BaseModel model = BaseModel.Load(folder);
        using ICompute compute = TestDecoder.CreateCompute();
        using ParameterSet parameters = ParameterSet.ForFull(compute, model, decayVectors: true);
        AssertLossAndGradients(
            reference, model.Config, compute, parameters, (double)reference["loss"], "gradients.safetensors", name => name);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Loss_and_every_adapter_gradient_equal_those_of_peft(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        using BaseModel model = BaseModel.Load(folder);
        using ICompute compute = TestDecoder.CreateCompute();
        using LoraAdapter start = LoraCheckpoint.Load(reference.AdapterFolder, model.Config, compute);
        using ParameterSet parameters = ParameterSet.ForAdapter(
            compute, model, start.Options, [.. start.Pairs.Select(p => p.Slot)]);
        foreach (LoraPair pair in start.Pairs)
        {
            compute.Copy(parameters.ByName[pair.Slot.NameOfA].Value, pair.A);
            compute.Copy(parameters.ByName[pair.Slot.NameOfB].Value, pair.B);
        }

        AssertLossAndGradients(
            reference, model.Config, compute, parameters, (double)reference["lora"]["loss"]!, "lora.safetensors",
            name => "grad." + name);
    }

    private static void AssertLogits(ReferenceCase reference, BaseModel model, LoraAdapter? adapter, string file)
    {
        using ICompute compute = TestDecoder.CreateCompute();
        List<TokenizedExample> sequences = reference.Sequences;
        using TestDecoder decoder = TestDecoder.For(model, compute, sequences, adapter);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(reference.Expected, file));
        for (int i = 0; i < sequences.Count; i++)
        {
            float[] wanted = ReferenceCase.Numbers(expected, $"logits.{i}");
            double tolerance = reference.LogitTolerance(ReferenceCase.Largest(wanted));
            ReferenceCase.AssertClose($"logits.{i}", wanted, decoder.Logits(sequences[i].Ids), tolerance);
        }
    }

    private static void AssertLossAndGradients(
        ReferenceCase reference, DecoderConfig config, ICompute compute, ParameterSet parameters, double loss, string file,
        Func<string, string> nameInFile)
    {
        List<TokenizedExample> sequences = reference.Sequences;
        using TestDecoder decoder = new(
            compute, config, parameters.Parameters, sequences.Sum(s => s.Ids.Length), sequences.Count);
        double actual = decoder.LossAndGradients(sequences);
        Assert.True(Math.Abs(actual - loss) <= 1e-5 * Math.Abs(loss), $"The loss is {actual:R}; {loss:R} is expected.");
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(reference.Expected, file));
        foreach (TrainedTensor tensor in parameters.Tensors)
        {
            float[] wanted = ReferenceCase.Numbers(expected, nameInFile(tensor.Spec.Name));
            float[] gradient = tensor.Gradient.AsSpan<float>().ToArray();
            double tolerance = (1e-4 * ReferenceCase.Largest(wanted)) + 1e-6;
            ReferenceCase.AssertClose(tensor.Spec.Name, wanted, gradient, tolerance);
        }
    }
}
