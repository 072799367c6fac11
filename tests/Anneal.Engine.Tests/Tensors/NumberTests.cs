using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Tensors;

public sealed class NumberTests
{
    /// <summary>The vectors that the Random123 distribution publishes for philox4x32 with ten rounds.</summary>
    [Theory]
    [InlineData(0ul, 0ul, 0ul, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x299f31d0a4093822ul, 0x0370734413198a2eul, 0x85a308d3243f6a88ul, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Philox_gives_the_published_vectors(
        ulong seed, ulong stream, ulong block, uint a, uint b, uint c, uint d)
    {
        Assert.Equal((a, b, c, d), Philox.Block(seed, stream, block));
    }

    [Fact]
    public void Philox_numbers_are_the_words_of_its_blocks()
    {
        (uint a, uint b, uint c, uint d) = Philox.Block(5, 7, 3);
        Assert.Equal([a, b, c, d], [Philox.At(5, 7, 12), Philox.At(5, 7, 13), Philox.At(5, 7, 14), Philox.At(5, 7, 15)]);
    }

    [Theory]
    [InlineData(0f, 0x0000)]
    [InlineData(-0f, 0x8000)]
    [InlineData(1f, 0x3F80)]
    [InlineData(1.00390625f, 0x3F80)] // half way, down to even
    [InlineData(1.01171875f, 0x3F82)] // half way, up to even
    [InlineData(1.003907f, 0x3F81)] // just above half way
    [InlineData(float.PositiveInfinity, 0x7F80)]
    [InlineData(3.4028235e38f, 0x7F80)] // rounds past the largest
    [InlineData(1e-45f, 0x0000)]
    public void Bf16_rounds_to_nearest_even(float value, int bits) => Assert.Equal((ushort)bits, Bf16.FromSingle(value));

    [Fact]
    public void Bf16_widens_and_narrows_every_pattern_to_itself()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            float value = Bf16.ToSingle((ushort)bits);
            ushort back = Bf16.FromSingle(value);
            Assert.True(float.IsNaN(value) ? float.IsNaN(Bf16.ToSingle(back)) : back == bits, $"pattern {bits:x4} became {back:x4}");
        }
    }
}
