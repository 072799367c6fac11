namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// Joins runs of byte tokens (<c>&lt;0xE4&gt;</c>). A run that is not valid UTF-8 as a whole becomes U+FFFD for each of its
/// bytes, the finished characters too. An eager step shows finished characters before the run is over; should the run
/// turn out invalid, what has been shown stays, and the rest is made up with U+FFFD.
/// </summary>
internal sealed class ByteFallbackStep(bool eager) : DecodeStep
{
    private readonly List<byte> _unshown = [];
    private int _count;
    private int _shown;
    private bool _invalid;

    /// <inheritdoc/>
    public override void Push(string piece, List<string> output)
    {
        if (ByteOf(piece) is not { } value)
        {
            EndRun(output);
            output.Add(piece);
            return;
        }

        _unshown.Add(value);
        _count++;
        if (eager && Utf8Tail.Unfinished(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_unshown)) == 0)
        {
            Show(output);
        }
    }

    /// <inheritdoc/>
    public override void Flush(List<string> output) => EndRun(output);

    private static byte? ByteOf(string piece) =>
        piece.Length == 6 && piece.StartsWith("<0x", StringComparison.Ordinal) && piece[5] == '>'
        && char.IsAsciiHexDigit(piece[3]) && char.IsAsciiHexDigit(piece[4])
            ? Convert.ToByte(piece[3..5], 16)
            : null;

    private void Show(List<string> output)
    {
        _invalid |= !System.Text.Unicode.Utf8.IsValid(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_unshown));
        if (_invalid)
        {
            output.Add(new string('\uFFFD', Math.Max(0, _count - _shown)));
            _shown = Math.Max(_shown, _count);
        }
        else
        {
            string text = System.Text.Encoding.UTF8.GetString([.. _unshown]);
            output.Add(text);
            _shown += text.EnumerateRunes().Count();
        }

        _unshown.Clear();
    }

    private void EndRun(List<string> output)
    {
        if (_unshown.Count > 0)
        {
            Show(output);
        }

        (_count, _shown, _invalid) = (0, 0, false);
    }
}
