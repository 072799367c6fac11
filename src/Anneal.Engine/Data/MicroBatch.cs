namespace Anneal.Engine.Data;

/// <summary>
/// A flat run of tokens without padding: sequences end to end, each attending to itself only, with the rows whose next token
/// matters. Its arrays are made once, for the largest batch, and filled again and again.
/// </summary>
public sealed class MicroBatch
{
    private readonly int[] _ids;
    private readonly int[] _rows;
    private readonly int[] _targets;
    private readonly float[] _weights;
    private readonly int[] _offsets;
    private readonly int[] _starts;
    private readonly int[] _lengths;

    /// <summary>Reserves room.</summary>
    /// <param name="tokens">Most tokens.</param>
    /// <param name="sequences">Most sequences.</param>
    public MicroBatch(int tokens, int sequences)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequences);
        _ids = new int[tokens];
        _rows = new int[tokens];
        _targets = new int[tokens];
        _weights = new float[tokens];
        _offsets = new int[sequences + 1];
        _starts = new int[sequences];
        _lengths = new int[sequences];
    }

    /// <summary>Most tokens it can hold.</summary>
    public int TokenCapacity => _ids.Length;

    /// <summary>Tokens in it.</summary>
    public int Tokens { get; private set; }

    /// <summary>Sequences in it.</summary>
    public int Sequences { get; private set; }

    /// <summary>Rows whose next token matters.</summary>
    public int Rows { get; private set; }

    /// <summary>The tokens, [T].</summary>
    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Tokens);

    /// <summary>Offsets of the sequences: one more than there are, from 0 to T.</summary>
    public ReadOnlySpan<int> Segments => _offsets.AsSpan(0, Sequences + 1);

    /// <summary>Position of the first token of each sequence; 0 unless earlier ones are cached.</summary>
    public ReadOnlySpan<int> Starts => _starts.AsSpan(0, Sequences);

    /// <summary>Whole length of each sequence, which some rope kinds depend on.</summary>
    public ReadOnlySpan<int> Lengths => _lengths.AsSpan(0, Sequences);

    /// <summary>Ascending places in <see cref="Ids"/> whose next token is predicted, [R].</summary>
    public ReadOnlySpan<int> TrainedRows => _rows.AsSpan(0, Rows);

    /// <summary>The token to be predicted at each of those rows.</summary>
    public ReadOnlySpan<int> Targets => _targets.AsSpan(0, Rows);

    /// <summary>Its weight.</summary>
    public ReadOnlySpan<float> Weights => _weights.AsSpan(0, Rows);

    /// <summary>Tokens of an example that the network must see: all before its last trained one. 0: nothing is trained.</summary>
    public static int NeededTokens(TokenizedExample example)
    {
        int last = example.Ids.Length - 1;
        while (last > 0 && example.Weights[last] == 0)
        {
            last--;
        }

        return Math.Max(last, 0);
    }

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        Tokens = 0;
        Sequences = 0;
        Rows = 0;
    }

    /// <summary>
    /// Appends an example to train on. What follows the last trained token is left out: causal attention lets nothing that
    /// matters see it.
    /// </summary>
    /// <param name="example">The example.</param>
    /// <param name="ropeLength">Length by which it is rotated (<see cref="RopeLengths"/>); 0: its own.</param>
    public void AddExample(TokenizedExample example, int ropeLength = 0)
    {
        int count = NeededTokens(example);
        int first = Tokens;
        Append(example.Ids.AsSpan(0, count), 0, ropeLength > 0 ? ropeLength : example.Ids.Length);
        for (int t = 1; t <= count; t++)
        {
            if (example.Weights[t] != 0)
            {
                AddRow(first + t - 1, example.Ids[t], example.Weights[t]);
            }
        }
    }

    /// <summary>Appends an example of which every token after the first is to be predicted, whatever its weight.</summary>
    /// <param name="example">The example.</param>
    /// <param name="ropeLength">As in <see cref="AddExample"/>.</param>
    public void AddEveryToken(TokenizedExample example, int ropeLength = 0)
    {
        int first = Tokens;
        int count = example.Ids.Length - 1;
        Append(example.Ids.AsSpan(0, count), 0, ropeLength > 0 ? ropeLength : example.Ids.Length);
        for (int t = 1; t <= count; t++)
        {
            AddRow(first + t - 1, example.Ids[t], example.Weights[t]);
        }
    }

    /// <summary>Appends a whole sequence of which every row matters, the last one too: for looking at all logits.</summary>
    public void AddEveryRow(ReadOnlySpan<int> ids)
    {
        int first = Tokens;
        Append(ids, 0, ids.Length);
        for (int t = 0; t < ids.Length; t++)
        {
            AddRow(first + t, 0, 0);
        }
    }

    /// <summary>Appends tokens of a sequence that is being generated; only the row of the last one matters.</summary>
    /// <param name="ids">New tokens.</param>
    /// <param name="start">Position of the first of them.</param>
    /// <param name="length">Whole length, which length-dependent rope kinds look at.</param>
    public void AddPrompt(ReadOnlySpan<int> ids, int start, int length)
    {
        Append(ids, start, length);
        AddRow(Tokens - 1, 0, 0);
    }

    private void Append(ReadOnlySpan<int> ids, int start, int length)
    {
        if (ids.IsEmpty || Tokens + ids.Length > _ids.Length || Sequences == _starts.Length)
        {
            throw new ArgumentException(
                $"{ids.Length} tokens do not fit: {Tokens} of {_ids.Length} tokens and {Sequences} of {_starts.Length} sequences are there.");
        }

        ids.CopyTo(_ids.AsSpan(Tokens));
        Tokens += ids.Length;
        _starts[Sequences] = start;
        _lengths[Sequences] = length;
        Sequences++;
        _offsets[Sequences] = Tokens;
    }

    private void AddRow(int row, int target, float weight)
    {
        _rows[Rows] = row;
        _targets[Rows] = target;
        _weights[Rows] = weight;
        Rows++;
    }
}
