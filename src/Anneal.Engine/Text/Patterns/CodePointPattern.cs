using System.Runtime.CompilerServices;

namespace Anneal.Engine.Text.Patterns;

/// <summary>
/// A regular expression over code points: what Oniguruma does with the patterns of <c>tokenizer.json</c>, on UTF-16 text. The
/// matcher backtracks; sets and the first characters of alternatives are tables, so the usual patterns hardly ever do.
/// Safe for use by many threads at once.
/// </summary>
internal sealed class CodePointPattern
{
    // Steps after which a text is given up: patterns come from files, and a hostile one must not hang a server.
    private const long StepsMin = 10_000_000;
    private const long StepsPerUnit = 1_000;

    private readonly string _source;
    private readonly Instruction[] _code;
    private readonly int _slots;
    private readonly bool[] _startsAscii;
    private readonly bool _startsBeyondAscii;
    private readonly bool _matchesEmpty;

    /// <summary>Compiles a pattern.</summary>
    /// <exception cref="InvalidDataException">The pattern is malformed or uses what is not supported; the message says what.</exception>
    public CodePointPattern(string source)
        : this(source, PatternParser.Parse(source))
    {
    }

    private CodePointPattern(string source, PatternNode node)
    {
        _source = source;
        PatternProgram program = PatternProgram.Compile(node, source);
        _code = [.. program.Code];
        _slots = program.Slots;
        CodePointSet? first = node.First();
        _matchesEmpty = first is null;
        _startsAscii = [.. Enumerable.Range(0, 128).Select(c => first?.Contains(c) ?? true)];
        _startsBeyondAscii = first is null || first.Ranges is [.., var last] && last.Last >= 128;
    }

    /// <summary>A pattern that matches a text as it stands.</summary>
    public static CodePointPattern Literal(string text) => new(
        text,
        new PatternNode.Sequence([.. text.EnumerateRunes().Select(r => new PatternNode.Set(CodePointSet.Of(r.Value)))]));

    /// <summary>
    /// Cuts a text into matches and what lies between them, in order and without gaps; nothing of it is empty, save a match of
    /// the empty text. No pattern sees beyond the text given.
    /// </summary>
    /// <exception cref="InvalidDataException">The pattern backtracks without end on this text.</exception>
    public void FindCuts(ReadOnlySpan<char> text, List<Cut> cuts)
    {
        Run run = new(this, text);
        int previous = 0;
        int from = 0;
        int lastMatchEnd = -1;
        while (from <= text.Length)
        {
            if (!run.Search(from, out int start, out int end))
            {
                break;
            }

            if (end == start && lastMatchEnd == end)
            {
                // An empty match right after a match does not count, or the search would stand still.
                if (from >= text.Length)
                {
                    break;
                }

                from += run.Width(from);
                continue;
            }

            if (start > previous)
            {
                cuts.Add(new Cut(previous, start, IsMatch: false));
            }

            cuts.Add(new Cut(start, end, IsMatch: true));
            previous = from = lastMatchEnd = end;
        }

        if (previous < text.Length)
        {
            cuts.Add(new Cut(previous, text.Length, IsMatch: false));
        }

        run.Dispose();
    }

    /// <summary>The state of one search through one text.</summary>
    private ref struct Run
    {
        [ThreadStatic]
        private static int[]? _spareStack;

        private readonly CodePointPattern _pattern;
        private readonly ReadOnlySpan<char> _text;
        private readonly Span<int> _loopStarts;
        private int[] _stack;
        private int _top;
        private long _stepsLeft;

        public Run(CodePointPattern pattern, ReadOnlySpan<char> text)
        {
            _pattern = pattern;
            _text = text;
            _stepsLeft = StepsMin + (StepsPerUnit * text.Length);
            _stack = _spareStack ?? new int[256];
            _spareStack = null;
            _loopStarts = pattern._slots == 0 ? [] : new int[pattern._slots];
        }

        public readonly void Dispose() => _spareStack = _stack;

        public bool Search(int from, out int start, out int end)
        {
            for (start = from; start <= _text.Length; start += start < _text.Length ? Width(start) : 1)
            {
                if (CanStart(start))
                {
                    end = Match(0, start);
                    if (end >= 0)
                    {
                        return true;
                    }
                }
            }

            end = -1;
            return false;
        }

        public readonly int Width(int at) =>
            char.IsHighSurrogate(_text[at]) && at + 1 < _text.Length && char.IsLowSurrogate(_text[at + 1]) ? 2 : 1;

        private readonly bool CanStart(int at)
        {
            if (at >= _text.Length)
            {
                return _pattern._matchesEmpty;
            }

            char c = _text[at];
            return c < 128 ? _pattern._startsAscii[c] : _pattern._startsBeyondAscii;
        }

        /// <summary>Runs the program at <paramref name="pc"/>; gives where the match ends, or -1.</summary>
        private int Match(int pc, int at)
        {
            Instruction[] code = _pattern._code;
            int bottom = _top;
            while (true)
            {
                if (--_stepsLeft < 0)
                {
                    throw new InvalidDataException($"The pattern /{_pattern._source}/ takes too many steps on a text of {_text.Length} characters.");
                }

                Instruction step = code[pc];
                bool ok;
                switch (step.Operation)
                {
                    case Operation.Accept:
                        _top = bottom;
                        return at;
                    case Operation.Take:
                        ok = TakeOne(step.Set, ref at);
                        pc++;
                        break;
                    case Operation.TakeGreedy:
                        ok = TakeMany(step, ref at, pc + 1);
                        pc++;
                        break;
                    case Operation.TakePossessive:
                        ok = TakeMany(step, ref at, -1);
                        pc++;
                        break;
                    case Operation.Split:
                        Push(step.B, at, -1);
                        pc = step.A;
                        ok = true;
                        break;
                    case Operation.Jump:
                        pc = step.A;
                        ok = true;
                        break;
                    case Operation.Choose:
                        ok = Choose(step, Viable(step, at), at, ref pc);
                        break;
                    default:
                        ok = Rare(step, ref pc, ref at);
                        break;
                }

                if (!ok && !Backtrack(bottom, ref pc, ref at))
                {
                    return -1;
                }
            }
        }

        private bool Rare(Instruction step, ref int pc, ref int at)
        {
            switch (step.Operation)
            {
                case Operation.LoopStart:
                    PushLoop(step.A);
                    _loopStarts[step.A] = at;
                    pc++;
                    return true;
                case Operation.LoopEnd:
                    pc = _loopStarts[step.A] == at ? step.B : pc + 1;
                    return true;
                case Operation.LookAhead:
                    pc = step.B;
                    return Match(step.A, at) >= 0 != step.Negative;
                case Operation.LookBehind:
                    pc = step.B;
                    return EndsHere(step, at) != step.Negative;
                case Operation.Atomic:
                    at = Match(step.A, at);
                    pc = step.B;
                    return at >= 0;
                case Operation.Anchor:
                    pc++;
                    return Holds((AnchorKind)step.A, at);
                default:
                    throw new InvalidOperationException($"The step {step.Operation} is not known.");
            }
        }

        private readonly bool TakeOne(CodePointSet set, ref int at)
        {
            if (at >= _text.Length)
            {
                return false;
            }

            int c = Read(at, out int width);
            if (!set.Contains(c))
            {
                return false;
            }

            at += width;
            return true;
        }

        /// <summary>Takes what there is; if less may do, leaves a frame that gives back one character at a time.</summary>
        private bool TakeMany(Instruction step, ref int at, int resume)
        {
            int count = 0;
            int least = at;
            int most = step.B < 0 ? int.MaxValue : step.B;
            CodePointSet set = step.Set;
            while (count < most && at < _text.Length)
            {
                int c = Read(at, out int width);
                if (!set.Contains(c))
                {
                    break;
                }

                at += width;
                if (++count == step.A)
                {
                    least = at;
                }
            }

            _stepsLeft -= count;
            if (count < step.A)
            {
                return false;
            }

            if (resume >= 0 && at > least)
            {
                Push(resume, at, least);
            }

            return true;
        }

        private readonly uint Viable(Instruction step, int at)
        {
            if (at >= _text.Length)
            {
                return step.AtEnd;
            }

            char c = _text[at];
            return c < 128 ? step.ByAscii[c] : step.BeyondAscii;
        }

        private bool Choose(Instruction step, uint viable, int at, ref int pc)
        {
            if (viable == 0)
            {
                return false;
            }

            int choice = System.Numerics.BitOperations.TrailingZeroCount(viable);
            uint rest = viable & (viable - 1);
            if (rest != 0)
            {
                PushFrame(pc, at, -2, (int)rest);
            }

            pc = step.Targets[choice];
            return true;
        }

        /// <summary>Whether the sub-program, which ends with an end-of-text anchor, matches some text that ends here.</summary>
        private readonly bool EndsHere(Instruction step, int at)
        {
            (int least, int most) = (step.Targets[0], step.Targets[1]);
            int start = at;
            for (int length = 0; length <= most; length++)
            {
                if (length >= least && MatchesUpTo(step.A, start, at))
                {
                    return true;
                }

                if (start == 0)
                {
                    return false;
                }

                start = Back(start);
            }

            return false;
        }

        private readonly bool MatchesUpTo(int sub, int start, int end)
        {
            Run behind = new(_pattern, _text[..end]);
            bool found = behind.Match(sub, start) >= 0;
            behind.Dispose();
            return found;
        }

        private readonly bool Holds(AnchorKind kind, int at) => kind switch
        {
            AnchorKind.TextStart => at == 0,
            AnchorKind.TextEnd => at == _text.Length,
            AnchorKind.TextEndOrLastLine => at == _text.Length || (at == _text.Length - 1 && _text[at] == '\n'),
            AnchorKind.LineStart => at == 0 || (_text[at - 1] == '\n' && at < _text.Length),
            AnchorKind.LineEnd => at == _text.Length || _text[at] == '\n',
            AnchorKind.WordBoundary => WordBefore(at) != WordAt(at),
            _ => WordBefore(at) == WordAt(at),
        };

        private readonly bool WordAt(int at) => at < _text.Length && UnicodeProperties.Word.Contains(Read(at, out _));

        private readonly bool WordBefore(int at) => at > 0 && WordAt(Back(at));

        private readonly int Back(int at) =>
            at > 1 && char.IsLowSurrogate(_text[at - 1]) && char.IsHighSurrogate(_text[at - 2]) ? at - 2 : at - 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly int Read(int at, out int width)
        {
            char c = _text[at];
            width = 1;
            if (char.IsHighSurrogate(c) && at + 1 < _text.Length && char.IsLowSurrogate(_text[at + 1]))
            {
                width = 2;
                return char.ConvertToUtf32(c, _text[at + 1]);
            }

            return c;
        }

        private void Push(int pc, int at, int least) => PushFrame(pc, at, least, 0);

        private void PushLoop(int slot) => PushFrame(slot, _loopStarts[slot], -3, 0);

        private void PushFrame(int pc, int at, int kind, int extra)
        {
            if (_top + 4 > _stack.Length)
            {
                Array.Resize(ref _stack, _stack.Length * 2);
            }

            _stack[_top++] = pc;
            _stack[_top++] = at;
            _stack[_top++] = kind;
            _stack[_top++] = extra;
        }

        /// <summary>Goes back to the last choice; false if there is none left above <paramref name="bottom"/>.</summary>
        private bool Backtrack(int bottom, ref int pc, ref int at)
        {
            while (_top > bottom)
            {
                int extra = _stack[--_top];
                int kind = _stack[--_top];
                at = _stack[--_top];
                pc = _stack[--_top];
                switch (kind)
                {
                    case -3:
                        _loopStarts[pc] = at;
                        continue;
                    case -2:
                        return Choose(_pattern._code[pc], (uint)extra, at, ref pc);
                    case -1:
                        return true;
                    default:
                        at = Back(at);
                        if (at > kind)
                        {
                            Push(pc, at, kind);
                        }

                        return true;
                }
            }

            return false;
        }
    }
}

/// <summary>A part of a text: units from <paramref name="Start"/> to before <paramref name="End"/>.</summary>
internal readonly record struct Cut(int Start, int End, bool IsMatch);
