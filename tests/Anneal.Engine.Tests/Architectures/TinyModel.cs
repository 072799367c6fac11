using Anneal.Engine.Architectures;
using Anneal.Engine.Data;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Architectures;

/// <summary>Small random models and examples for tests that need no reference.</summary>
internal static class TinyModel
{
    public static DecoderConfig Config(bool everything = false) => new()
    {
        ModelType = "llama",
        VocabularySize = 37,
        HiddenSize = 16,
        IntermediateSize = 24,
        Layers = 3,
        Heads = 4,
        KeyValueHeads = 2,
        HeadSize = 4,
        MaxPositions = 64,
        NormEpsilon = 1e-5f,
        Rope = new RopeConfig { RotarySize = 4, OriginalMaxPositions = 64 },
        TieEmbeddings = everything,
        QueryKeyValueBias = everything,
        OutputBias = everything,
        MlpBias = everything,
        QueryKeyNorm = everything,
        Windows = everything ? [0, 3, 5] : [],
    };

    /// <summary>Random weights large enough that every term matters.</summary>
    public static BaseModel Create(bool everything = false)
    {
        BaseModel model = BaseModel.Random(Config(everything), DType.F32, 7);
        Random random = new(5);
        foreach (WeightSpec spec in model.Config.Weights())
        {
            Span<float> numbers = model.Weight(spec.Name).AsSpan<float>();
            for (int i = 0; i < numbers.Length; i++)
            {
                float uniform = (2 * random.NextSingle()) - 1;
                numbers[i] = spec.IsVector
                    ? (spec.Name.EndsWith("bias", StringComparison.Ordinal) ? 0.5f * uniform : 1 + (0.4f * uniform))
                    : 1.5f * uniform / MathF.Sqrt(spec.Columns);
            }
        }

        return model;
    }

    /// <summary>Examples of different lengths, most of whose tokens are trained, some with half a weight.</summary>
    public static List<TokenizedExample> Examples(int count, int seed = 3, int longest = 14)
    {
        Random random = new(seed);
        List<TokenizedExample> examples = [];
        for (int e = 0; e < count; e++)
        {
            int length = random.Next(4, longest + 1);
            int[] ids = [.. Enumerable.Range(0, length).Select(_ => random.Next(37))];
            float[] weights = [.. Enumerable.Range(0, length).Select(t => t < length / 3 ? 0 : t % 5 == 4 ? 0.5f : 1)];
            examples.Add(new TokenizedExample(e + 1, ids, weights, length));
        }

        return examples;
    }
}
