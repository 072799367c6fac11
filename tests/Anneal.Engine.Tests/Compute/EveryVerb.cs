using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Compute;

/// <summary>One call of each verb over small tensors, chained so that every result reaches the end.</summary>
internal sealed class EveryVerb : IDisposable
{
    private const int Tokens = 150;
    private const int Hidden = 48;
    private const int Vocabulary = 333;

    private readonly ICompute _compute;
    private readonly Arena _arena;
    private readonly List<Tensor> _tensors = [];
    private readonly AttentionShape _shape = new(4, 2, 12, 0.3f);
    private readonly int[] _segments = [0, 40, 41, Tokens];
    private readonly int[] _ids = new int[Tokens];
    private readonly int[] _some = [3, 1, 149];
    private readonly int[] _lengths = [20, 21];
    private readonly float[] _coefficients = new float[Tokens];
    private readonly float[] _logProbabilities = new float[Tokens];
    private readonly int[] _predicted = new int[Tokens];
    private readonly float[] _host = new float[Tokens * Hidden];
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;
    private readonly Tensor _x, _y, _q, _k, _v, _o, _lse, _dO, _dq, _dk, _dv, _w, _norm, _rstd, _dNorm, _cos, _sin;
    private readonly Tensor _table, _dTable, _first, _second, _narrow, _bias, _some3, _decoded, _tall;
    private double _squares;

    public EveryVerb(ICompute compute, ulong seed)
    {
        _compute = compute;
        _arena = compute.CreateArena(4 << 20);
        (_x, _y, _q, _o) = (Make(Tokens, Hidden), Make(Tokens, Hidden), Make(Tokens, 48), Make(Tokens, 48));
        (_k, _v, _dk, _dv) = (Make(Tokens, 24), Make(Tokens, 24), Make(Tokens, 24), Make(Tokens, 24));
        (_lse, _dO, _dq, _w) = (Make(4, Tokens), Make(Tokens, 48), Make(Tokens, 48), Make(Hidden, Hidden));
        (_norm, _rstd, _dNorm, _bias) = (Make(1, Hidden), Make(Tokens, 1), Make(1, Hidden), Make(1, Hidden));
        (_cos, _sin, _tall, _some3) = (Make(Tokens, 6), Make(Tokens, 6), Make(2, Hidden), Make(3, Hidden));
        (_table, _dTable) = (Make(Vocabulary, Hidden), Make(Vocabulary, Hidden));
        (_first, _second, _decoded) = (Make(Vocabulary, Hidden), Make(Vocabulary, Hidden), Make(2, 48));
        _narrow = _arena.Allocate(Hidden, Hidden, DType.BF16);
        _keys = [_k, _k.SliceRows(5, 60)];
        _values = [_v, _v.SliceRows(5, 60)];
        for (int t = 0; t < Tokens; t++)
        {
            _ids[t] = Philox.BelowAt(seed, 1, (ulong)t, Vocabulary);
            _coefficients[t] = -1f / Tokens;
        }

        for (int i = 0; i < _tensors.Count; i++)
        {
            Span<float> values = _tensors[i].AsSpan<float>();
            for (int j = 0; j < values.Length; j++)
            {
                values[j] = Philox.UniformAt(seed, (ulong)i + 2, (ulong)j) - 0.5f;
            }
        }

        // Second moments are not negative.
        _second.AsSpan<float>().Fill(0.01f);
    }

    public void Run()
    {
        _compute.EmbeddingForward(_x, _table, _ids, 2);
        _compute.RmsNormForward(_y, _rstd, _x, _norm, 1e-5f);
        _compute.Copy(_narrow, _w);
        _compute.MatMul(_q, _y, _narrow, MatMulLayout.NT);
        _compute.MatMul(_q, _y, _w, MatMulLayout.NN, 0.5f, accumulate: true);
        _compute.AddBias(_q, _bias);
        _compute.Rope(_q, _cos, _sin, 12, inverse: false);
        _compute.AttentionForward(_o, _lse, _q, _k, _v, _segments, _shape);
        _compute.AttentionDecode(_decoded, _tall, _keys, _values, _lengths, _shape);
        _compute.GatedMlpForward(_y, _o, _q, Activation.Silu);
        _compute.TokenLogProbabilities(_logProbabilities, _predicted, _y, _table, _ids);
        _compute.TokenLoss(
            _logProbabilities, _predicted, _dO, _dTable, _y, _table, _ids, _coefficients);
        _compute.GatedMlpBackward(_q, _o, _dO, _q, _o, Activation.Gelu);
        _compute.AttentionBackward(_dq, _dk, _dv, _dO, _o, _lse, _q, _k, _v, _segments, _shape);
        _compute.RmsNormBackward(_dq, _dNorm, _dO, _x, _rstd, _norm, accumulate: true);
        _compute.MatMul(_w, _dq, _y, MatMulLayout.TN, 0.01f);
        _compute.BiasGradient(_bias, _dq);
        _compute.Dropout(_y, _dq, 0.1f, 5, 6);
        _compute.AddScaled(_y, _x, 0.5f);
        _compute.Scale(_y, 0.1f);
        _compute.GatherRows(_some3, _y, _some);
        _compute.ScatterAddRows(_x, _some3, _some);
        _compute.EmbeddingBackward(_dTable, _x, _ids);
        _squares = _compute.SumOfSquares(_dTable);
        _compute.AdamW(_table, _dTable, _first, _second, new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0.1, 1, 3));
        _compute.Download(_host, _y);
        _compute.Upload(_y, _host);
        _compute.Fill(_dTable, 0);
        _compute.Fill(_dNorm, 0);
    }

    public float[] Results() =>
        [.. _tensors.SelectMany(t => t.AsSpan<float>().ToArray()), .. _logProbabilities, .. _predicted.Select(p => (float)p), (float)_squares];

    public void Dispose() => _arena.Dispose();

    private Tensor Make(int rows, int columns)
    {
        _tensors.Add(_arena.Allocate(rows, columns));
        return _tensors[^1];
    }
}
