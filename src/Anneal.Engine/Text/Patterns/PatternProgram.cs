namespace Anneal.Engine.Text.Patterns;

/// <summary>What an <see cref="Instruction"/> does.</summary>
internal enum Operation
{
    /// <summary>The (sub-)program has matched.</summary>
    Accept,

    /// <summary>Takes one character of <see cref="Instruction.Set"/>.</summary>
    Take,

    /// <summary>Takes from A to B characters of the set (B -1: no limit), as many as there are; gives them back one by one.</summary>
    TakeGreedy,

    /// <summary>The same, but gives nothing back.</summary>
    TakePossessive,

    /// <summary>Goes on at A, or else at B.</summary>
    Split,

    /// <summary>Goes on at A.</summary>
    Jump,

    /// <summary>Goes on at the first of <see cref="Instruction.Targets"/> that leads to a match.</summary>
    Choose,

    /// <summary>Remembers in slot A where a round of a loop began.</summary>
    LoopStart,

    /// <summary>Leaves the loop for B if the round that began in slot A took nothing.</summary>
    LoopEnd,

    /// <summary>The sub-program at A must match here (or, if negative, must not); then goes on at B.</summary>
    LookAhead,

    /// <summary>
    /// The sub-program at A must match so as to end here (or, if negative, must not), on from Targets[0] to Targets[1]
    /// characters; then goes on at B.
    /// </summary>
    LookBehind,

    /// <summary>Runs the sub-program at A once, without coming back into it; then goes on at B.</summary>
    Atomic,

    /// <summary>The place must be as <see cref="AnchorKind"/> A says.</summary>
    Anchor,
}

/// <summary>One step of a compiled pattern.</summary>
internal sealed class Instruction
{
    public required Operation Operation { get; init; }

    public CodePointSet Set { get; set; } = CodePointSet.Empty;

    public int A { get; set; }

    public int B { get; set; }

    public bool Negative { get; init; }

    public int[] Targets { get; set; } = [];

    /// <summary>For <see cref="Operation.Choose"/>: by ASCII character, the targets (as bits) that can begin with it.</summary>
    public uint[] ByAscii { get; set; } = [];

    /// <summary>For <see cref="Operation.Choose"/>: the targets that can begin with anything beyond ASCII.</summary>
    public uint BeyondAscii { get; set; }

    /// <summary>For <see cref="Operation.Choose"/>: the targets that can match at the end of the text.</summary>
    public uint AtEnd { get; set; }
}

/// <summary>Turns a <see cref="PatternNode"/> into instructions for <see cref="CodePointPattern"/>.</summary>
internal sealed class PatternProgram
{
    private const int InstructionsMax = 20_000;

    private readonly List<Instruction> _code = [];
    private readonly string _source;

    private PatternProgram(string source) => _source = source;

    /// <summary>The instructions; the pattern begins at the first.</summary>
    public IReadOnlyList<Instruction> Code => _code;

    /// <summary>How many loop slots a run needs.</summary>
    public int Slots { get; private set; }

    /// <summary>Compiles a parsed pattern.</summary>
    /// <exception cref="InvalidDataException">It is too large when its repetitions are written out.</exception>
    public static PatternProgram Compile(PatternNode node, string source)
    {
        PatternProgram program = new(source);
        program.Emit(node);
        program.Add(new Instruction { Operation = Operation.Accept });
        return program;
    }

    private int Add(Instruction instruction)
    {
        if (_code.Count >= InstructionsMax)
        {
            throw new InvalidDataException($"The pattern /{_source}/ is too large: more than {InstructionsMax} steps.");
        }

        _code.Add(instruction);
        return _code.Count - 1;
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.Set s:
                Add(new Instruction { Operation = Operation.Take, Set = s.Members.Prepare() });
                break;
            case PatternNode.Sequence s:
                foreach (PatternNode part in s.Parts)
                {
                    Emit(part);
                }

                break;
            case PatternNode.Choice c:
                EmitChoice(c.Options);
                break;
            case PatternNode.Repeat r:
                EmitRepeat(r);
                break;
            case PatternNode.Look l:
                EmitSub(l.Behind ? Operation.LookBehind : Operation.LookAhead, l.Body, l.Negative);
                break;
            case PatternNode.Atomic a:
                EmitSub(Operation.Atomic, a.Body, negative: false);
                break;
            case PatternNode.Anchor a:
                Add(new Instruction { Operation = Operation.Anchor, A = (int)a.Kind });
                break;
            default:
                throw new InvalidOperationException($"A pattern node of type {node.GetType().Name} has no code.");
        }
    }

    private void EmitSub(Operation operation, PatternNode body, bool negative)
    {
        Instruction step = new() { Operation = operation, Negative = negative };
        Add(step);
        step.A = _code.Count;
        Emit(body);
        if (operation == Operation.LookBehind)
        {
            step.Targets = LengthsOf(body);
            Add(new Instruction { Operation = Operation.Anchor, A = (int)AnchorKind.TextEnd });
        }

        Add(new Instruction { Operation = Operation.Accept });
        step.B = _code.Count;
    }

    private int[] LengthsOf(PatternNode body)
    {
        const int LengthMax = 255;
        (long least, long? most) = body.Length();
        return most <= LengthMax
            ? [(int)least, (int)most.Value]
            : throw new InvalidDataException($"The pattern /{_source}/ looks behind further than {LengthMax} characters, which is not supported.");
    }

    private void EmitChoice(IReadOnlyList<PatternNode> options)
    {
        // The masks have 32 bits; a longer choice is a choice of choices.
        const int OptionsMax = 32;
        if (options.Count > OptionsMax)
        {
            EmitChoice([.. options.Take(OptionsMax - 1), new PatternNode.Choice([.. options.Skip(OptionsMax - 1)])]);
            return;
        }

        Instruction step = new() { Operation = Operation.Choose, ByAscii = new uint[128], Targets = new int[options.Count] };
        Add(step);
        List<Instruction> exits = [];
        for (int i = 0; i < options.Count; i++)
        {
            uint bit = 1u << i;
            CodePointSet? first = options[i].First();
            for (int c = 0; c < 128; c++)
            {
                step.ByAscii[c] |= first is null || first.Contains(c) ? bit : 0;
            }

            step.BeyondAscii |= first is null || first.Ranges is [.., var last] && last.Last >= 128 ? bit : 0;
            step.AtEnd |= first is null ? bit : 0;
            step.Targets[i] = _code.Count;
            Emit(options[i]);
            Instruction exit = new() { Operation = Operation.Jump };
            Add(exit);
            exits.Add(exit);
        }

        foreach (Instruction exit in exits)
        {
            exit.A = _code.Count;
        }
    }

    private void EmitRepeat(PatternNode.Repeat r)
    {
        if (r.Greed == Greed.Possessive)
        {
            if (r.Body is PatternNode.Set own)
            {
                EmitTake(Operation.TakePossessive, own, r);
                return;
            }

            EmitSub(Operation.Atomic, r with { Greed = Greed.Greedy }, negative: false);
            return;
        }

        if (r is { Body: PatternNode.Set set, Greed: Greed.Greedy })
        {
            EmitTake(Operation.TakeGreedy, set, r);
            return;
        }

        int before = _code.Count;
        for (int i = 0; i < r.Min && (i == 0 || _code.Count > before); i++)
        {
            // A body without steps is written out once: repeating nothing changes nothing, and could go on for ever.
            Emit(r.Body);
        }

        if (r.Max is null)
        {
            EmitLoop(r);
            return;
        }

        List<Instruction> splits = [];
        for (int i = r.Min; i < r.Max; i++)
        {
            // Each adds a step, so the limit on steps ends this too.
            splits.Add(EmitSplit());
            Emit(r.Body);
        }

        foreach (Instruction split in splits)
        {
            Aim(split, split.A, _code.Count, r.Greed);
        }
    }

    private void EmitLoop(PatternNode.Repeat r)
    {
        int slot = r.Body.MatchesEmpty() ? Slots++ : -1;
        int start = _code.Count;
        Instruction split = EmitSplit();
        if (slot >= 0)
        {
            Add(new Instruction { Operation = Operation.LoopStart, A = slot });
        }

        Emit(r.Body);
        Instruction? end = null;
        if (slot >= 0)
        {
            end = new Instruction { Operation = Operation.LoopEnd, A = slot };
            Add(end);
        }

        Add(new Instruction { Operation = Operation.Jump, A = start });
        Aim(split, split.A, _code.Count, r.Greed);
        if (end is not null)
        {
            end.B = _code.Count;
        }
    }

    /// <summary>A split whose first way is what follows it; the second is set by <see cref="Aim"/>.</summary>
    private Instruction EmitSplit()
    {
        Instruction split = new() { Operation = Operation.Split };
        Add(split);
        split.A = _code.Count;
        return split;
    }

    private static void Aim(Instruction split, int body, int after, Greed greed) =>
        (split.A, split.B) = greed == Greed.Lazy ? (after, body) : (body, after);

    private void EmitTake(Operation operation, PatternNode.Set set, PatternNode.Repeat r) =>
        Add(new Instruction { Operation = operation, Set = set.Members.Prepare(), A = r.Min, B = r.Max ?? -1 });
}
