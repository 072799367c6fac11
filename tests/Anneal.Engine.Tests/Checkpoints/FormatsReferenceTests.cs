using System.Runtime.InteropServices;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;
using Anneal.Engine.Tests.Architectures;

namespace Anneal.Engine.Tests.Checkpoints;

public sealed class FormatsReferenceTests
{
    [Fact]
    public void Bfloat16_and_half_precision_round_as_torch_does()
    {
        string? reference = Environment.GetEnvironmentVariable("ANNEAL_REFERENCE");
        Assert.SkipWhen(reference is null, "formats: ANNEAL_REFERENCE is not set.");
        string path = Path.Combine(reference!, "formats", "formats.safetensors");
        Assert.SkipUnless(File.Exists(path), $"formats is not in {reference}.");
        using SafetensorsFile file = SafetensorsFile.Open(path);
        using TemporaryFolder folder = new();
        using ICompute compute = TestDecoder.CreateCompute();
        foreach ((string kind, DType type) in ((string, DType)[])[("bf16", DType.BF16), ("f16", DType.F16)])
        {
            SafetensorsEntry stored = file.Entries[kind + ".bits"];
            string written = folder.File(kind);
            SafetensorsWriter.Write(written, compute, [new SafetensorsItem("x", file.Get(kind + ".input"), type, true)]);
            using SafetensorsFile again = SafetensorsFile.Open(written);
            ReadOnlySpan<byte> bits = File.ReadAllBytes(path).AsSpan((int)stored.Offset, (int)stored.Bytes);
            ushort[] expected = MemoryMarshal.Cast<byte, ushort>(bits).ToArray();
            ushort[] actual = again.Get("x").AsSpan<ushort>().ToArray();
            float[] input = file.Get(kind + ".input").AsSpan<float>().ToArray();
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.True(
                    expected[i] == actual[i] || float.IsNaN(input[i]),
                    $"{kind}: {input[i]:R} became 0x{actual[i]:X4}; 0x{expected[i]:X4} is expected.");
            }
        }
    }
}
