namespace Anneal.Engine.Architectures;

/// <summary>
/// The angles of rotary position embedding: cos and sin of position · frequency, times the attention factor. Frequencies and
/// angles are rounded to single precision where transformers rounds them, so that far positions agree with it.
/// </summary>
public sealed class Rotary
{
    private readonly RopeConfig _config;
    private readonly int _half;
    private readonly float[] _frequencies;

    // cos and sin for positions 0, 1, …: one table of each for the kinds that do not depend on length.
    private float[] _cos = [];
    private float[] _sin = [];

    // The kinds that depend on length are computed for each sequence; nearly always the length is the one before.
    private int _frequenciesLength = -1;

    /// <summary>Prepares positions 0 … <paramref name="positions"/> − 1; later ones make the table grow.</summary>
    public Rotary(RopeConfig config, int positions)
    {
        _config = config;
        _half = config.RotarySize / 2;
        _frequencies = new float[_half];
        if (!config.DependsOnLength)
        {
            Frequencies(config, 0, _frequencies);
            Grow(positions);
        }
    }

    /// <summary>Numbers a position takes in each of the two tables: half of the rotated elements.</summary>
    public int Width => _half;

    /// <summary>Writes the angles of positions start … start + n − 1 of one sequence.</summary>
    /// <param name="start">First position.</param>
    /// <param name="length">Whole length of the sequence; only dynamic and longrope look at it.</param>
    /// <param name="cos">[n, <see cref="Width"/>].</param>
    /// <param name="sin">The same shape.</param>
    public void Fill(int start, int length, Span<float> cos, Span<float> sin)
    {
        int count = cos.Length / _half;
        if (cos.Length != sin.Length || count * _half != cos.Length || start < 0)
        {
            throw new ArgumentException($"cos has {cos.Length} numbers and sin {sin.Length}; multiples of {_half} are wanted.");
        }

        if (!_config.DependsOnLength)
        {
            Grow(start + count);
            _cos.AsSpan(start * _half, cos.Length).CopyTo(cos);
            _sin.AsSpan(start * _half, sin.Length).CopyTo(sin);
            return;
        }

        int regime = Regime(length);
        if (regime != _frequenciesLength)
        {
            Frequencies(_config, regime, _frequencies);
            _frequenciesLength = regime;
        }

        Angles(start, cos, sin);
    }

    /// <summary>Inverse frequencies of a sequence of <paramref name="length"/> tokens; [rotary / 2].</summary>
    public static void Frequencies(RopeConfig config, int length, Span<float> frequencies)
    {
        double theta = config.Theta;
        if (config.Kind == RopeKind.Dynamic)
        {
            double size = config.RotarySize;
            double longest = Math.Max(length, config.OriginalMaxPositions);
            double growth = (config.Factor * longest / config.OriginalMaxPositions) - (config.Factor - 1);
            theta *= Math.Pow(growth, size / (size - 2));
        }

        for (int i = 0; i < frequencies.Length; i++)
        {
            float plain = (float)Math.Pow(theta, 2f * i / config.RotarySize);
            frequencies[i] = config.Kind switch
            {
                RopeKind.Linear => 1 / plain / (float)config.Factor,
                RopeKind.Llama3 => Llama3(config, 1 / plain),
                RopeKind.LongRope when length > config.OriginalMaxPositions => 1 / ((float)config.LongFactors[i] * plain),
                RopeKind.LongRope => 1 / ((float)config.ShortFactors[i] * plain),
                RopeKind.Yarn => Yarn(config, i, plain),
                _ => 1 / plain,
            };
        }
    }

    private static float Llama3(RopeConfig config, float frequency)
    {
        double wavelength = 2 * Math.PI / frequency;
        double original = config.OriginalMaxPositions;
        if (wavelength < original / config.HighFrequencyFactor)
        {
            return frequency;
        }

        float divided = frequency / (float)config.Factor;
        if (wavelength > original / config.LowFrequencyFactor)
        {
            return divided;
        }

        float smooth = (float)(((original / wavelength) - config.LowFrequencyFactor)
            / (config.HighFrequencyFactor - config.LowFrequencyFactor));
        return ((1 - smooth) * divided) + (smooth * frequency);
    }

    private static float Yarn(RopeConfig config, int index, float plain)
    {
        double low = Dimension(config, config.BetaFast);
        double high = Dimension(config, config.BetaSlow);
        if (config.Truncate)
        {
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        }

        (low, high) = (Math.Max(low, 0), Math.Min(high, config.RotarySize - 1));
        if (low == high)
        {
            high += 0.001;
        }

        float ramp = Math.Clamp((float)((index - low) / (high - low)), 0, 1);
        float interpolated = 1 / ((float)config.Factor * plain);
        return (interpolated * ramp) + (1 / plain * (1 - ramp));
    }

    /// <summary>The dimension whose frequency turns <paramref name="rotations"/> times over the original length.</summary>
    private static double Dimension(RopeConfig config, double rotations) =>
        config.RotarySize * Math.Log(config.OriginalMaxPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(config.Theta));

    /// <summary>Lengths that share frequencies share a regime: all short ones, and for longrope all long ones.</summary>
    private int Regime(int length) => length <= _config.OriginalMaxPositions
        ? _config.OriginalMaxPositions
        : _config.Kind == RopeKind.LongRope ? _config.OriginalMaxPositions + 1 : length;

    private void Grow(int positions)
    {
        int have = _cos.Length / Math.Max(1, _half);
        if (positions <= have)
        {
            return;
        }

        // At least doubled, so that a generator that goes on and on grows the table seldom.
        int want = Math.Max(positions, have == 0 ? positions : 2 * have);
        Array.Resize(ref _cos, want * _half);
        Array.Resize(ref _sin, want * _half);
        Angles(have, _cos.AsSpan(have * _half), _sin.AsSpan(have * _half));
    }

    private void Angles(int start, Span<float> cos, Span<float> sin)
    {
        float factor = (float)_config.AttentionFactor;
        for (int at = 0; at < cos.Length; at += _half)
        {
            float position = start + (at / _half);
            for (int i = 0; i < _half; i++)
            {
                (double s, double c) = Math.SinCos(position * _frequencies[i]);
                cos[at + i] = (float)c * factor;
                sin[at + i] = (float)s * factor;
            }
        }
    }
}
