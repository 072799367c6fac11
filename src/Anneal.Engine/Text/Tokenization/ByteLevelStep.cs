namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// Maps tokens of the <see cref="ByteAlphabet"/> back to bytes and these to text. A token with any other character stands for
/// its own UTF-8. Bytes of neighbouring tokens are joined; every maximal invalid part becomes one U+FFFD.
/// </summary>
internal sealed class ByteLevelStep : DecodeStep
{
    private readonly List<byte> _pending = [];

    /// <inheritdoc/>
    public override void Push(string piece, List<string> output)
    {
        if (piece.All(c => ByteAlphabet.ByteOf(c) >= 0))
        {
            _pending.AddRange(piece.Select(c => (byte)ByteAlphabet.ByteOf(c)));
        }
        else
        {
            _pending.AddRange(System.Text.Encoding.UTF8.GetBytes(piece));
        }

        ReadOnlySpan<byte> bytes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_pending);
        int ready = bytes.Length - Utf8Tail.Unfinished(bytes);
        output.Add(System.Text.Encoding.UTF8.GetString(bytes[..ready]));
        _pending.RemoveRange(0, ready);
    }

    /// <inheritdoc/>
    public override void Flush(List<string> output)
    {
        output.Add(System.Text.Encoding.UTF8.GetString([.. _pending]));
        _pending.Clear();
    }
}
