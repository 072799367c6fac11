using System.Text;

namespace Anneal.Engine.Generation;

/// <summary>
/// Watches generated text for stop strings, which may begin in one token and end in another. Text that could still become a stop
/// string is held back; the stop string itself never comes out.
/// </summary>
public sealed class StopStrings
{
    private readonly string[] _stops;
    private readonly StringBuilder _held = new();

    /// <summary>Watches for any of <paramref name="stops"/>; empty strings are ignored.</summary>
    public StopStrings(IEnumerable<string> stops) => _stops = [.. stops.Where(stop => stop.Length > 0)];

    /// <summary>Whether a stop string was met. Nothing comes out after it.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes a piece of text and gives what may be shown now.</summary>
    public string Push(string piece)
    {
        if (Stopped)
        {
            return "";
        }

        if (_stops.Length == 0)
        {
            return piece;
        }

        _held.Append(piece);
        string text = _held.ToString();
        int end = FirstStop(text);
        if (end >= 0)
        {
            Stopped = true;
            _held.Clear();
            return text[..end];
        }

        int safe = text.Length - LongestBeginning(text);
        _held.Remove(0, safe);
        return text[..safe];
    }

    /// <summary>What was held back, once no more text comes.</summary>
    public string Flush()
    {
        string text = _held.ToString();
        _held.Clear();
        return text;
    }

    private int FirstStop(string text)
    {
        int first = -1;
        foreach (string stop in _stops)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (first < 0 || at < first))
            {
                first = at;
            }
        }

        return first;
    }

    // Length of the longest end of the text that is the beginning of a stop string.
    private int LongestBeginning(string text)
    {
        int longest = 0;
        foreach (string stop in _stops)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                    break;
                }
            }
        }

        return longest;
    }
}
