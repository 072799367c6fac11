namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// GPT-2's alphabet of bytes: each byte is a printable character, itself if it is one in Latin-1, otherwise from U+0100 on
/// (a space is Ġ, a line feed Ċ).
/// </summary>
internal static class ByteAlphabet
{
    private const int Limit = 0x100 + 68;

    /// <summary>The character of each byte.</summary>
    public static readonly char[] Characters = Build();

    private static readonly short[] Bytes = Reverse();

    /// <summary>The byte of a character; -1 if it is not in the alphabet.</summary>
    public static int ByteOf(char c) => c < Limit ? Bytes[c] : -1;

    private static char[] Build()
    {
        char[] characters = new char[256];
        int next = 0x100;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[b] = (char)(printable ? b : next++);
        }

        return characters;
    }

    private static short[] Reverse()
    {
        short[] bytes = new short[Limit];
        Array.Fill(bytes, (short)-1);
        for (int b = 0; b < 256; b++)
        {
            bytes[Characters[b]] = (short)b;
        }

        return bytes;
    }
}
