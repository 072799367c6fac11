using System.Text;

namespace Anneal.Jobs.Launch;

/// <summary>
/// A text file that keeps the newest lines of an output within a limit: when half of it is full, the file becomes
/// <c>{path}.1</c> and a new one begins.
/// </summary>
internal sealed class BoundedLog(string path, long bytesMax, TimeProvider time) : IDisposable
{
    private const int LineCharsMax = 2000;
    private readonly Lock _writing = new();
    private StreamWriter? _writer;
    private long _bytes;
    private bool _closed;
    private string? _lastError;
    private string? _lastOther;

    /// <summary>
    /// The last line that was neither empty nor a frame of a stack trace, an error's rather than another; null while there is
    /// none.
    /// </summary>
    public string? LastLine
    {
        get
        {
            lock (_writing)
            {
                return _lastError ?? _lastOther;
            }
        }
    }

    /// <summary>Appends a line with the time before it. Null and empty lines are left out.</summary>
    public void WriteLine(string? line, bool isError)
    {
        if (string.IsNullOrWhiteSpace(line))
        {
            return;
        }

        string cut = line.Length <= LineCharsMax ? line : line[..LineCharsMax];
        lock (_writing)
        {
            if (!cut.StartsWith("   at ", StringComparison.Ordinal))
            {
                (_lastError, _lastOther) = isError ? (cut, _lastOther) : (_lastError, cut);
            }

            if (_closed)
            {
                return;
            }

            try
            {
                Append($"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {cut}\n");
            }
            catch (IOException)
            {
                // A full disk must not take the supervisor with it; the last line is still known.
                _closed = true;
            }
        }
    }

    public void Dispose()
    {
        lock (_writing)
        {
            _closed = true;
            _writer?.Dispose();
            _writer = null;
        }
    }

    private void Append(string text)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        if (_writer is not null && _bytes + bytes > bytesMax / 2)
        {
            _writer.Dispose();
            _writer = null;
            File.Move(path, path + ".1", overwrite: true);
        }

        if (_writer is null)
        {
            _writer = new StreamWriter(path, append: true) { AutoFlush = true };
            _bytes = new FileInfo(path).Length;
        }

        _writer.Write(text);
        _bytes += bytes;
    }
}
