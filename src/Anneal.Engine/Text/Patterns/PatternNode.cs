namespace Anneal.Engine.Text.Patterns;

/// <summary>How a repetition chooses between more and less.</summary>
internal enum Greed
{
    /// <summary>As many as possible, fewer on backtracking.</summary>
    Greedy,

    /// <summary>As few as possible, more on backtracking.</summary>
    Lazy,

    /// <summary>As many as possible, never fewer.</summary>
    Possessive,
}

/// <summary>A place in the text rather than a character.</summary>
internal enum AnchorKind
{
    /// <summary><c>\A</c>.</summary>
    TextStart,

    /// <summary><c>\z</c>.</summary>
    TextEnd,

    /// <summary><c>\Z</c>: the end, or before a line feed at the end.</summary>
    TextEndOrLastLine,

    /// <summary><c>^</c>: after a line feed or at the start.</summary>
    LineStart,

    /// <summary><c>$</c>: before a line feed or at the end.</summary>
    LineEnd,

    /// <summary><c>\b</c>.</summary>
    WordBoundary,

    /// <summary><c>\B</c>.</summary>
    NotWordBoundary,
}

/// <summary>A parsed pattern. Groups leave no trace: nothing here captures.</summary>
internal abstract record PatternNode
{
    /// <summary>One character out of a set.</summary>
    public sealed record Set(CodePointSet Members) : PatternNode;

    /// <summary>One after the other; none at all matches the empty text.</summary>
    public sealed record Sequence(IReadOnlyList<PatternNode> Parts) : PatternNode;

    /// <summary>The first that leads to a match.</summary>
    public sealed record Choice(IReadOnlyList<PatternNode> Options) : PatternNode;

    /// <summary>From <paramref name="Min"/> to <paramref name="Max"/> times; a null maximum is none.</summary>
    public sealed record Repeat(PatternNode Body, int Min, int? Max, Greed Greed) : PatternNode;

    /// <summary>A condition on what follows or comes before.</summary>
    public sealed record Look(PatternNode Body, bool Behind, bool Negative) : PatternNode;

    /// <summary><c>(?&gt;…)</c>: once matched, not reconsidered.</summary>
    public sealed record Atomic(PatternNode Body) : PatternNode;

    /// <summary>A condition on the place.</summary>
    public sealed record Anchor(AnchorKind Kind) : PatternNode;

    /// <summary>Whether the empty text can match.</summary>
    public bool MatchesEmpty() => this switch
    {
        Set => false,
        Sequence s => s.Parts.All(p => p.MatchesEmpty()),
        Choice c => c.Options.Any(o => o.MatchesEmpty()),
        Repeat r => r.Min == 0 || r.Body.MatchesEmpty(),
        Atomic a => a.Body.MatchesEmpty(),
        _ => true,
    };

    /// <summary>The least and the greatest number of characters a match takes; a null maximum is none.</summary>
    public (long Least, long? Most) Length()
    {
        switch (this)
        {
            case Set:
                return (1, 1);
            case Atomic a:
                return a.Body.Length();
            case Repeat r:
                (long least, long? most) = r.Body.Length();
                return (Math.Min(least * r.Min, int.MaxValue), most * r.Max is { } product ? Math.Min(product, int.MaxValue) : null);
            case Sequence s:
                return s.Parts.Select(p => p.Length()).Aggregate((0L, (long?)0), (x, y) => (x.Item1 + y.Least, x.Item2 + y.Most));
            case Choice c:
                (long Least, long? Most)[] all = [.. c.Options.Select(o => o.Length())];
                return (all.Min(l => l.Least), all.Any(l => l.Most is null) ? null : all.Max(l => l.Most));
            default:
                return (0, 0);
        }
    }

    /// <summary>A superset of the characters a match can begin with; null if a match may be empty or is not known.</summary>
    public CodePointSet? First()
    {
        switch (this)
        {
            case Set s:
                return s.Members;
            case Atomic a:
                return a.Body.First();
            case Repeat r:
                return r.Min > 0 ? r.Body.First() : null;
            case Choice c:
                List<CodePointSet> sets = [];
                foreach (PatternNode option in c.Options)
                {
                    if (option.First() is not { } first)
                    {
                        return null;
                    }

                    sets.Add(first);
                }

                return sets.Aggregate(CodePointSet.Empty, (x, y) => x.Union(y));
            case Sequence s:
                CodePointSet all = CodePointSet.Empty;
                foreach (PatternNode part in s.Parts)
                {
                    // A condition takes no character, so what follows it still decides; it can only narrow the set.
                    if (part is Look or Anchor)
                    {
                        continue;
                    }

                    if (part.First() is { } first)
                    {
                        return all.Union(first);
                    }

                    if (part is not Repeat { Min: 0 } optional || optional.Body.First() is not { } some)
                    {
                        return null;
                    }

                    all = all.Union(some);
                }

                return null;
            default:
                return null;
        }
    }
}
