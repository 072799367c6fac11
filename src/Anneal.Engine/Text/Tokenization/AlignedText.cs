using System.Text;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// One code point of a changed text. <paramref name="Delta"/> says where it comes from: 0, it stands for the next code point of
/// the old text; n &gt; 0, it is new and shares the place of the one before it; -n, it stands for the next one and the n
/// after that are gone.
/// </summary>
internal readonly record struct Change(int CodePoint, int Delta);

/// <summary>
/// A stretch of text on its way from the original to tokens. For every UTF-16 unit it knows the span of the original that the
/// unit stands for, so that a token found in the changed text can be traced back.
/// </summary>
internal sealed class AlignedText
{
    private readonly bool _tracked;
    private ReadOnlyMemory<char> _text;
    private ReadOnlyMemory<int> _starts;
    private ReadOnlyMemory<int> _ends;
    private bool _identity;
    private int _origin;

    private AlignedText(ReadOnlyMemory<char> text, int origin, bool tracked)
    {
        _text = text;
        _origin = origin;
        _tracked = tracked;
        _identity = true;
    }

    /// <summary>The text as it is now.</summary>
    public ReadOnlySpan<char> Span => _text.Span;

    /// <summary>Its length in UTF-16 units.</summary>
    public int Length => _text.Length;

    /// <summary>Whether spans of the original are kept; if not, <see cref="OriginalSpan"/> must not be asked.</summary>
    public bool Tracked => _tracked;

    /// <summary>A part of the original, not yet changed.</summary>
    public static AlignedText Of(string original, int start, int end, bool tracked) =>
        new(original.AsMemory(start, end - start), start, tracked);

    /// <summary>A part of this text as a text of its own.</summary>
    public AlignedText Slice(int start, int end)
    {
        if (start == 0 && end == Length)
        {
            return this;
        }

        AlignedText part = new(_text[start..end], 0, _tracked) { _identity = _identity };
        if (_identity)
        {
            part._origin = _origin + start;
        }
        else if (_tracked)
        {
            part._starts = _starts[start..end];
            part._ends = _ends[start..end];
            part._origin = start < end ? _starts.Span[start] : _origin;
        }

        return part;
    }

    /// <summary>The span of the original (UTF-16 units) that the units from <paramref name="start"/> to before
    /// <paramref name="end"/> stand for.</summary>
    public (int Start, int End) OriginalSpan(int start, int end)
    {
        if (!_tracked)
        {
            throw new InvalidOperationException("This text does not keep its alignment with the original.");
        }

        if (start >= end)
        {
            int place = start < Length ? Place(start).Start : Length > 0 ? Place(Length - 1).End : _origin;
            return (place, place);
        }

        return (Place(start).Start, Place(end - 1).End);
    }

    /// <summary>Replaces the text by <paramref name="changes"/>, after <paramref name="dropped"/> code points are gone from the front.</summary>
    public void Transform(ReadOnlySpan<Change> changes, int dropped = 0)
    {
        Builder builder = new(changes.Length, _tracked);
        int at = Skip(0, dropped);
        foreach (Change change in changes)
        {
            (int start, int end) = !_tracked ? default : Place(change.Delta > 0 ? at - 1 : at);
            builder.Append(change.CodePoint, start, end);
            if (change.Delta <= 0)
            {
                at = Skip(at, 1 - change.Delta);
            }
        }

        Take(builder);
    }

    /// <summary>Takes over what a builder made of this text.</summary>
    public void Take(Builder builder)
    {
        (_text, _starts, _ends) = builder.Finish();
        _identity = false;
    }

    /// <summary>Replaces the text by one of the same length whose every unit stands for what the old one did.</summary>
    public void Overwrite(char[] text)
    {
        if (text.Length != Length)
        {
            throw new InvalidOperationException("An overwritten text keeps its length.");
        }

        _text = text;
    }

    /// <summary>The span of the original for the code point of one unit.</summary>
    public (int Start, int End) Place(int unit)
    {
        if (!_tracked || unit < 0)
        {
            return (_origin, _origin);
        }

        if (!_identity)
        {
            unit = Math.Min(unit, _starts.Length - 1);
            return unit < 0 ? (_origin, _origin) : (_starts.Span[unit], _ends.Span[unit]);
        }

        ReadOnlySpan<char> text = Span;
        int start = unit > 0 && unit < text.Length && char.IsLowSurrogate(text[unit]) && char.IsHighSurrogate(text[unit - 1]) ? unit - 1 : unit;
        int end = start + 1 < text.Length && char.IsHighSurrogate(text[start]) && char.IsLowSurrogate(text[start + 1]) ? start + 2 : start + 1;
        return (_origin + start, _origin + end);
    }

    private int Skip(int at, int codePoints)
    {
        ReadOnlySpan<char> text = Span;
        for (; codePoints > 0 && at < text.Length; codePoints--)
        {
            at += char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;
        }

        return at;
    }

    /// <summary>Collects a changed text together with its alignment.</summary>
    internal sealed class Builder
    {
        private readonly bool _tracked;
        private char[] _text;
        private int[] _starts;
        private int[] _ends;

        public Builder(int capacity, bool tracked)
        {
            _tracked = tracked;
            _text = new char[Math.Max(capacity, 16)];
            _starts = tracked ? new int[_text.Length] : [];
            _ends = tracked ? new int[_text.Length] : [];
        }

        public int Length { get; private set; }

        /// <summary>Adds a code point that stands for a span of the original.</summary>
        public void Append(int codePoint, int start, int end)
        {
            if (codePoint < 0x10000)
            {
                Append((char)codePoint, start, end);
                return;
            }

            Span<char> pair = stackalloc char[2];
            new Rune(codePoint).EncodeToUtf16(pair);
            Append(pair[0], start, end);
            Append(pair[1], start, end);
        }

        /// <summary>Adds one unit that stands for a span of the original.</summary>
        public void Append(char unit, int start, int end)
        {
            if (Length == _text.Length)
            {
                Grow();
            }

            _text[Length] = unit;
            if (_tracked)
            {
                _starts[Length] = start;
                _ends[Length] = end;
            }

            Length++;
        }

        /// <summary>Copies a part of a text as it is.</summary>
        public void Append(AlignedText source, int start, int end)
        {
            ReadOnlySpan<char> text = source.Span;
            for (int i = start; i < end; i++)
            {
                (int from, int to) = source.Tracked ? source.Place(i) : default;
                Append(text[i], from, to);
            }
        }

        /// <summary>The text and the two ends of each unit's span.</summary>
        public (ReadOnlyMemory<char> Text, ReadOnlyMemory<int> Starts, ReadOnlyMemory<int> Ends) Finish() => _tracked
            ? (_text.AsMemory(0, Length), _starts.AsMemory(0, Length), _ends.AsMemory(0, Length))
            : (_text.AsMemory(0, Length), default, default);

        private void Grow()
        {
            Array.Resize(ref _text, _text.Length * 2);
            if (_tracked)
            {
                Array.Resize(ref _starts, _text.Length);
                Array.Resize(ref _ends, _text.Length);
            }
        }
    }
}
