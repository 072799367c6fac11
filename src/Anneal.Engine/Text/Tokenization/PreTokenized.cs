using Anneal.Engine.Text.Patterns;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>What becomes of the matches of a splitting pattern.</summary>
internal enum SplitBehavior
{
    /// <summary>They are left out.</summary>
    Removed,

    /// <summary>Each is a piece of its own.</summary>
    Isolated,

    /// <summary>A match joins the piece before it; of neighbouring matches only the first.</summary>
    MergedWithPrevious,

    /// <summary>A match joins the piece after it; of neighbouring matches only the last.</summary>
    MergedWithNext,

    /// <summary>Neighbouring matches are one piece.</summary>
    Contiguous,
}

/// <summary>A stretch of text and the pieces it is cut into so far. No piece is empty.</summary>
internal sealed class PreTokenized
{
    private readonly List<Cut> _cuts = [];
    private List<(int Start, int End)> _pieces = [];
    private List<(int Start, int End)> _spare = [];

    /// <summary>Starts with the whole text as one piece.</summary>
    public PreTokenized(AlignedText text)
    {
        Text = text;
        if (text.Length > 0)
        {
            _pieces.Add((0, text.Length));
        }
    }

    /// <summary>The text that pieces are parts of.</summary>
    public AlignedText Text { get; }

    /// <summary>The pieces, in order.</summary>
    public IReadOnlyList<(int Start, int End)> Pieces => _pieces;

    /// <summary>Cuts every piece where a pattern matches; the pattern sees one piece at a time.</summary>
    public void Split(CodePointPattern pattern, SplitBehavior behavior, bool invert = false) =>
        SplitBy((text, cuts) => pattern.FindCuts(text, cuts), behavior, invert);

    /// <summary>Cuts every piece at the code points of a set, each of which is a match of its own.</summary>
    public void Split(CodePointSet set, SplitBehavior behavior) => SplitBy((text, cuts) => CutAt(set, text, cuts), behavior, invert: false);

    /// <summary>Cuts every piece into pieces of so many code points; the last may be shorter.</summary>
    public void SplitEvery(int codePoints)
    {
        SplitBy(
            (text, cuts) =>
            {
                int start = 0;
                int count = 0;
                for (int at = 0; at < text.Length;)
                {
                    System.Text.Rune.DecodeFromUtf16(text[at..], out _, out int width);
                    at += width;
                    if (++count == codePoints || at == text.Length)
                    {
                        cuts.Add(new Cut(start, at, IsMatch: true));
                        (start, count) = (at, 0);
                    }
                }
            },
            SplitBehavior.Isolated,
            invert: false);
    }

    /// <summary>
    /// Rewrites the text piece by piece; <paramref name="rewrite"/> adds what a piece becomes to the builder, and the pieces stay apart.
    /// </summary>
    public void Rewrite(Action<AlignedText, int, int, AlignedText.Builder> rewrite)
    {
        AlignedText.Builder builder = new(Text.Length + (Text.Length / 4) + _pieces.Count, Text.Tracked);
        _spare.Clear();
        foreach ((int start, int end) in _pieces)
        {
            int from = builder.Length;
            rewrite(Text, start, end, builder);
            if (builder.Length > from)
            {
                _spare.Add((from, builder.Length));
            }
        }

        Text.Take(builder);
        (_pieces, _spare) = (_spare, _pieces);
    }

    private delegate void Cutter(ReadOnlySpan<char> text, List<Cut> cuts);

    private static void CutAt(CodePointSet set, ReadOnlySpan<char> text, List<Cut> cuts)
    {
        int previous = 0;
        for (int at = 0; at < text.Length;)
        {
            System.Text.Rune.DecodeFromUtf16(text[at..], out System.Text.Rune rune, out int width);
            if (set.Contains(rune.Value))
            {
                if (at > previous)
                {
                    cuts.Add(new Cut(previous, at, IsMatch: false));
                }

                previous = at + width;
                cuts.Add(new Cut(at, previous, IsMatch: true));
            }

            at += width;
        }

        if (previous < text.Length)
        {
            cuts.Add(new Cut(previous, text.Length, IsMatch: false));
        }
    }

    private void SplitBy(Cutter cutter, SplitBehavior behavior, bool invert)
    {
        _spare.Clear();
        foreach ((int start, int end) in _pieces)
        {
            _cuts.Clear();
            cutter(Text.Span[start..end], _cuts);
            AddPieces(start, behavior, invert);
        }

        (_pieces, _spare) = (_spare, _pieces);
    }

    private void AddPieces(int offset, SplitBehavior behavior, bool invert)
    {
        int from = _spare.Count;
        if (behavior == SplitBehavior.MergedWithNext)
        {
            MergeWithNext(offset, invert);
            return;
        }

        bool previous = false;
        foreach (Cut cut in _cuts)
        {
            bool match = cut.IsMatch != invert;
            bool join = _spare.Count > from && behavior switch
            {
                SplitBehavior.Contiguous => match == previous,
                SplitBehavior.MergedWithPrevious => match && !previous,
                _ => false,
            };
            if (join)
            {
                _spare[^1] = (_spare[^1].Start, offset + cut.End);
            }
            else if (cut.End > cut.Start && !(match && behavior == SplitBehavior.Removed))
            {
                _spare.Add((offset + cut.Start, offset + cut.End));
            }

            previous = match;
        }
    }

    private void MergeWithNext(int offset, bool invert)
    {
        int from = _spare.Count;
        bool previous = false;
        for (int i = _cuts.Count - 1; i >= 0; i--)
        {
            Cut cut = _cuts[i];
            bool match = cut.IsMatch != invert;
            if (match && !previous && _spare.Count > from)
            {
                _spare[^1] = (offset + cut.Start, _spare[^1].End);
            }
            else if (cut.End > cut.Start)
            {
                _spare.Add((offset + cut.Start, offset + cut.End));
            }

            previous = match;
        }

        _spare.Reverse(from, _spare.Count - from);
    }
}
