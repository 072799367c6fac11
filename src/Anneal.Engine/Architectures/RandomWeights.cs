using System.Runtime.InteropServices;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Architectures;

/// <summary>Fills the weights of models that are made in memory.</summary>
internal static class RandomWeights
{
    /// <summary>Standard deviation of a matrix's elements: transformers' initializer_range.</summary>
    private const float Deviation = 0.02f;

    /// <summary>Sets every element to a constant, or to uniform numbers of mean 0 when there is none.</summary>
    public static void Fill(Tensor tensor, float? constant, ulong seed, ulong stream)
    {
        // A uniform distribution on ±√3·σ has deviation σ. SplitMix64 rather than Philox: a billion numbers a second matter
        // here, and nobody depends on their quality.
        float half = MathF.Sqrt(3) * Deviation;
        ulong state = seed ^ (stream * 0x9E37_79B9_7F4A_7C15);
        for (int row = 0; row < tensor.Rows; row++)
        {
            Tensor line = tensor.SliceRows(row, 1);
            Span<byte> bytes = line.Type == DType.F32
                ? MemoryMarshal.AsBytes(line.AsSpan<float>())
                : MemoryMarshal.AsBytes(line.AsSpan<ushort>());
            for (int i = 0; i < line.Columns; i++)
            {
                float value = constant ?? half * ((Next(ref state) >> 40) * (2f / (1 << 24)) - 1);
                Store(bytes, i, value, line.Type);
            }
        }
    }

    private static void Store(Span<byte> bytes, int index, float value, DType type)
    {
        switch (type)
        {
            case DType.F32:
                MemoryMarshal.Cast<byte, float>(bytes)[index] = value;
                break;
            case DType.BF16:
                MemoryMarshal.Cast<byte, ushort>(bytes)[index] = Bf16.FromSingle(value);
                break;
            case DType.F16:
                MemoryMarshal.Cast<byte, Half>(bytes)[index] = (Half)value;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "Not a floating type.");
        }
    }

    private static ulong Next(ref ulong state)
    {
        state += 0x9E37_79B9_7F4A_7C15;
        ulong z = state;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
