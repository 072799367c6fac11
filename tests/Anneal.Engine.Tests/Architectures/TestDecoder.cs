using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Kernels.Reference;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Architectures;

/// <summary>A decoder with room for some examples, for looking at what one pass computes.</summary>
internal sealed class TestDecoder : IDisposable
{
    private readonly Arena _arena;

    public TestDecoder(
        ICompute compute, DecoderConfig config, DecoderParameters parameters, int tokens, int sequences, int slots = 0)
    {
        Compute = compute;
        Config = config;
        int rank = parameters.Adapter?.Pairs.Max(p => p.Slot.Rank) ?? 0;
        DecoderRoom room = new(tokens, tokens, slots == 0 ? config.Layers : slots, rank, Dropout: true, Backward: true);
        _arena = compute.CreateArena(64 << 20);
        Decoder = new Decoder(compute, config, parameters, new DecoderMemory(config, room, (r, c) => _arena.Allocate(r, c)));
        Batch = new MicroBatch(tokens, sequences);
    }

    public ICompute Compute { get; }

    public DecoderConfig Config { get; }

    public Decoder Decoder { get; }

    public MicroBatch Batch { get; }

    /// <summary>The fast kernels on two threads; the scalar loops when <c>ANNEAL_TEST_COMPUTE</c> is <c>reference</c>.</summary>
    public static ICompute CreateCompute() => Environment.GetEnvironmentVariable("ANNEAL_TEST_COMPUTE") == "reference"
        ? new ReferenceCompute()
        : new CpuCompute(new ComputeOptions { Threads = 2 });

    public static TestDecoder For(BaseModel model, ICompute compute, IReadOnlyList<TokenizedExample> examples, LoraAdapter? adapter = null) =>
        new(compute, model.Config, new DecoderParameters(model.Weights, Adapter: adapter), examples.Sum(e => e.Ids.Length), examples.Count);

    /// <summary>Logits of every position of one sequence, the last included.</summary>
    public float[] Logits(int[] ids)
    {
        Batch.Clear();
        Batch.AddEveryRow(ids);
        Decoder.Forward(Batch);
        using Arena arena = Compute.CreateArena((long)ids.Length * Config.VocabularySize * sizeof(float));
        Tensor logits = arena.Allocate(ids.Length, Config.VocabularySize);
        Decoder.Logits(logits);
        float[] numbers = new float[logits.Length];
        Compute.Download(numbers, logits);
        return numbers;
    }

    /// <summary>Loss of all examples in one packed batch, and gradients into wherever the parameters say.</summary>
    public double LossAndGradients(IReadOnlyList<TokenizedExample> examples)
    {
        double sum = examples.Sum(e => e.Weights.Skip(1).Sum(w => (double)w));
        Batch.Clear();
        foreach (TokenizedExample example in examples)
        {
            Batch.AddExample(example);
        }

        float[] logProbabilities = new float[Batch.Rows];
        int[] predicted = new int[Batch.Rows];
        float[] coefficients = [.. Batch.Weights.ToArray().Select(w => (float)(-w / sum))];
        Decoder.Forward(Batch);
        Decoder.Backward(logProbabilities, predicted, coefficients, Batch);
        return logProbabilities.Zip(Batch.Weights.ToArray(), (l, w) => -(double)w * l).Sum() / sum;
    }

    public void Dispose() => _arena.Dispose();
}
