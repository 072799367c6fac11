namespace Anneal.Server.Files;

/// <summary>
/// Splits a stream into lines without ever holding more than one. A UTF-8 byte order mark at the start is skipped; a final
/// line without a line feed counts.
/// </summary>
internal sealed class LineReader(Stream content, int lineBytesMax)
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>The number of the last line returned, from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>True when reading stopped because a line was longer than the limit.</summary>
    public bool TooLong { get; private set; }

    /// <summary>The next line without its line feed, valid until the next call; false at the end.</summary>
    public bool Next(out ReadOnlySpan<byte> line)
    {
        line = default;
        int searched = 0;
        while (!TooLong)
        {
            int length = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                line = Take(searched + length);
                _start++;
                return true;
            }
            searched = _end - _start;
            if (_ended)
            {
                if (searched == 0)
                {
                    return false;
                }
                line = Take(searched);
                return true;
            }
            Fill();
        }
        return false;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        ReadOnlySpan<byte> line = _buffer.AsSpan(_start, length);
        _start += length;
        LineNumber++;
        return LineNumber == 1 && line.StartsWith("\uFEFF"u8) ? line[3..] : line;
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        if (_end == _buffer.Length)
        {
            if (_buffer.Length > lineBytesMax)
            {
                LineNumber++;
                TooLong = true;
                return;
            }
            Array.Resize(ref _buffer, checked(_buffer.Length * 2));
        }
        int read = content.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _ended = read == 0;
    }
}
