using System.Runtime.InteropServices;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Generation;

/// <summary>
/// Draws tokens for one request. It remembers what the request has seen and generated, so that penalties need no scan, and how
/// many draws were made, so that a seed gives the same text whatever else runs beside it.
/// </summary>
public sealed class Sampler
{
    private readonly SamplingOptions _options;
    private readonly ulong _seed;
    private readonly HashSet<int> _seen = [];
    private readonly Dictionary<int, int> _generated = [];
    private ulong _draws;

    private float[] _logits = [];
    private double[] _mass = [];
    private int[] _ids = [];
    private int _count;

    /// <summary>Starts a request.</summary>
    /// <param name="options">What to apply.</param>
    /// <param name="prompt">Ids before the first generated one; they count for the repetition penalty only.</param>
    /// <param name="fallbackSeed">Used where <see cref="SamplingOptions.Seed"/> is absent.</param>
    public Sampler(SamplingOptions options, ReadOnlySpan<int> prompt, ulong fallbackSeed)
    {
        _options = options;
        _seed = options.Seed is { } seed ? unchecked((ulong)seed) : fallbackSeed;
        if (options.RepetitionPenalty != 1)
        {
            foreach (int id in prompt)
            {
                _seen.Add(id);
            }
        }
    }

    /// <summary>Tells the sampler which id came out, whoever chose it.</summary>
    public void Accept(int id)
    {
        _seen.Add(id);
        CollectionsMarshal.GetValueRefOrAddDefault(_generated, id, out _)++;
    }

    /// <summary>Draws an id from logits[vocabulary], which are left as they are. The caller follows with <see cref="Accept"/>.</summary>
    /// <exception cref="InvalidOperationException">The logits are not numbers: the weights are broken.</exception>
    public int Sample(ReadOnlySpan<float> logits)
    {
        if (_options.Temperature == 0)
        {
            Adjust(logits);
            _ = Largest(_logits.AsSpan(0, logits.Length));
            return ArgMax(_logits.AsSpan(0, logits.Length));
        }

        Distribution(logits);
        double u = Uniform() * Total();
        for (int i = 0; i < _count; i++)
        {
            u -= _mass[i];
            if (u < 0)
            {
                return _ids[i];
            }
        }

        // Rounding can leave u a hair above the sum: the draw then belongs to the last token.
        return _ids[_count - 1];
    }

    /// <summary>The final probabilities: what <see cref="Sample"/> draws from at a temperature above 0.</summary>
    /// <returns>One probability an id of the vocabulary; 0 for what was filtered out.</returns>
    public double[] Probabilities(ReadOnlySpan<float> logits)
    {
        Distribution(logits);
        double total = Total();
        double[] probabilities = new double[logits.Length];
        for (int i = 0; i < _count; i++)
        {
            probabilities[_ids[i]] = _mass[i] / total;
        }

        return probabilities;
    }

    /// <summary>The index of the largest logit, the lowest on ties.</summary>
    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best])
            {
                best = i;
            }
        }

        return best;
    }

    // Candidates with their unnormalised mass, largest first when a filter is on, after every step of SamplingOptions.
    private void Distribution(ReadOnlySpan<float> logits)
    {
        Adjust(logits);
        Span<float> adjusted = _logits.AsSpan(0, logits.Length);
        float inverse = 1 / _options.Temperature;
        float largest = Largest(adjusted);
        if (_mass.Length < logits.Length)
        {
            _mass = new double[logits.Length];
            _ids = new int[logits.Length];
        }

        _count = logits.Length;
        for (int i = 0; i < adjusted.Length; i++)
        {
            _ids[i] = i;
            _mass[i] = Math.Exp((adjusted[i] - largest) * inverse);
        }

        FilterTopK();
        FilterTopP();
        FilterMinP();
        FilterTypical();
    }

    private void Adjust(ReadOnlySpan<float> logits)
    {
        if (_logits.Length < logits.Length)
        {
            _logits = new float[logits.Length];
        }

        Span<float> adjusted = _logits.AsSpan(0, logits.Length);
        logits.CopyTo(adjusted);
        if (_options.LogitBias is { } bias)
        {
            foreach ((int id, float add) in bias)
            {
                if ((uint)id < (uint)adjusted.Length)
                {
                    adjusted[id] += add;
                }
            }
        }

        if (_options.RepetitionPenalty != 1)
        {
            foreach (int id in _seen)
            {
                float logit = adjusted[id];
                adjusted[id] = logit < 0 ? logit * _options.RepetitionPenalty : logit / _options.RepetitionPenalty;
            }
        }

        if (_options.FrequencyPenalty != 0 || _options.PresencePenalty != 0)
        {
            foreach ((int id, int count) in _generated)
            {
                adjusted[id] -= (_options.FrequencyPenalty * count) + _options.PresencePenalty;
            }
        }
    }

    private static float Largest(ReadOnlySpan<float> logits)
    {
        float largest = float.NegativeInfinity;
        foreach (float logit in logits)
        {
            // Math.Max hands a NaN on, so one look at the result covers all.
            largest = Math.Max(largest, logit);
        }

        return float.IsFinite(largest)
            ? largest
            : throw new InvalidOperationException("The model gave logits that are not finite; its weights are broken.");
    }

    private void FilterTopK()
    {
        if (_options.TopK <= 0 || _options.TopK >= _count)
        {
            return;
        }

        SortDescending();
        double kth = _mass[_options.TopK - 1];
        int kept = _options.TopK;
        while (kept < _count && _mass[kept] == kth)
        {
            kept++;
        }

        _count = kept;
    }

    private void FilterTopP()
    {
        if (_options.TopP >= 1)
        {
            return;
        }

        // A token below (1 − p)/n of the total cannot be in the nucleus: it and everything below it weigh less than 1 − p. Leaving
        // such tokens out first spares the sort of a whole vocabulary, and changes nothing.
        double total = Total();
        double floor = total * (1 - _options.TopP) / _count * (1 - 1e-9);
        int candidates = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_mass[i] >= floor)
            {
                (_mass[candidates], _ids[candidates]) = (_mass[i], _ids[i]);
                candidates++;
            }
        }

        _count = candidates;
        SortDescending();
        double above = 0;
        int kept = 0;
        while (kept < _count && (kept == 0 || above < _options.TopP * total))
        {
            above += _mass[kept++];
        }

        _count = kept;
    }

    private void FilterMinP()
    {
        if (_options.MinP <= 0)
        {
            return;
        }

        SortDescending();
        double least = _options.MinP * _mass[0];
        int kept = 1;
        while (kept < _count && _mass[kept] >= least)
        {
            kept++;
        }

        _count = kept;
    }

    private void FilterTypical()
    {
        if (_options.TypicalP >= 1)
        {
            return;
        }

        double total = Total();
        double entropy = 0;
        for (int i = 0; i < _count; i++)
        {
            double p = _mass[i] / total;
            entropy -= p > 0 ? p * Math.Log(p) : 0;
        }

        double[] distance = new double[_count];
        int[] order = new int[_count];
        for (int i = 0; i < _count; i++)
        {
            distance[i] = Math.Abs(-Math.Log(_mass[i] / total) - entropy);
            order[i] = i;
        }

        Array.Sort(distance, order);
        double mass = 0;
        int kept = 0;
        while (kept < _count && (kept == 0 || mass < _options.TypicalP * total))
        {
            mass += _mass[order[kept++]];
        }

        // What is exactly as far from the entropy as the last one stays too: no tie is split.
        while (kept < _count && distance[kept] == distance[kept - 1])
        {
            kept++;
        }

        Array.Sort(order, 0, kept);
        for (int i = 0; i < kept; i++)
        {
            (_mass[i], _ids[i]) = (_mass[order[i]], _ids[order[i]]);
        }

        _count = kept;
    }

    private void SortDescending()
    {
        // Ascending by (−mass, id), so that the order of equal masses does not depend on the sort's internals.
        Array.Sort(_mass, _ids, 0, _count, Descending.Instance);
    }

    private double Total()
    {
        double total = 0;
        for (int i = 0; i < _count; i++)
        {
            total += _mass[i];
        }

        return total;
    }

    private double Uniform()
    {
        ulong draw = _draws++;
        uint high = Philox.At(_seed, stream: 0, draw * 2);
        uint low = Philox.At(_seed, stream: 0, (draw * 2) + 1);
        return ((((ulong)high << 32) | low) >> 11) * (1.0 / (1UL << 53));
    }

    private sealed class Descending : IComparer<double>
    {
        public static readonly Descending Instance = new();

        public int Compare(double x, double y) => y.CompareTo(x);
    }
}
