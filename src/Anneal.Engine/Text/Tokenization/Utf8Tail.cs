using System.Text;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>What is unfinished at the end of UTF-8.</summary>
internal static class Utf8Tail
{
    /// <summary>The length of a character that is begun at the end and could still be completed; 0 if there is none.</summary>
    public static int Unfinished(ReadOnlySpan<byte> bytes)
    {
        for (int n = 1; n <= 3 && n <= bytes.Length; n++)
        {
            if ((bytes[^n] & 0xC0) == 0x80)
            {
                continue;
            }

            System.Buffers.OperationStatus status = Rune.DecodeFromUtf8(bytes[^n..], out _, out _);
            return status == System.Buffers.OperationStatus.NeedMoreData ? n : 0;
        }

        return 0;
    }
}
