using System.Text.Json;

namespace Anneal.Engine.Architectures;

/// <summary>How the rotary frequencies are stretched beyond the length that a model was first trained for.</summary>
public enum RopeKind
{
    /// <summary>Plain frequencies theta^(−2i/d).</summary>
    Default,

    /// <summary>All divided by a factor.</summary>
    Linear,

    /// <summary>NTK-aware base that grows with the length of the sequence.</summary>
    Dynamic,

    /// <summary>YaRN (Peng et al. 2023): a ramp between plain and interpolated frequencies, and an attention factor.</summary>
    Yarn,

    /// <summary>Llama 3.1's: long wavelengths divided by a factor, a smooth step between.</summary>
    Llama3,

    /// <summary>LongRoPE (Ding et al. 2024): one list of factors for short sequences, one for long ones.</summary>
    LongRope,
}

/// <summary>Rotary position embedding of one model, from <c>rope_parameters</c>, or <c>rope_theta</c> with <c>rope_scaling</c>.</summary>
public sealed record RopeConfig
{
    /// <summary>Which formula.</summary>
    public RopeKind Kind { get; init; }

    /// <summary>Base of the frequencies.</summary>
    public double Theta { get; init; } = 10_000;

    /// <summary>Elements of a head that are rotated.</summary>
    public required int RotarySize { get; init; }

    /// <summary>Stretching factor.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Length that the model was first trained for; the border of dynamic and longrope.</summary>
    public int OriginalMaxPositions { get; init; }

    /// <summary>Factor on cos and sin.</summary>
    public double AttentionFactor { get; init; } = 1;

    /// <summary>YaRN: rotations above which a frequency stays.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>YaRN: rotations below which a frequency is interpolated.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>YaRN: whether the ramp's ends are rounded outwards to whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>Llama3: wavelengths above original / this are divided by the factor.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama3: wavelengths below original / this stay.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>LongRoPE: one factor a frequency up to the original length.</summary>
    public IReadOnlyList<double> ShortFactors { get; init; } = [];

    /// <summary>LongRoPE: one factor a frequency beyond it.</summary>
    public IReadOnlyList<double> LongFactors { get; init; } = [];

    /// <summary>Whether the frequencies depend on the length of the sequence.</summary>
    public bool DependsOnLength => Kind is RopeKind.Dynamic or RopeKind.LongRope;

    /// <summary>Reads the rope of a family whose plain base is <paramref name="defaultTheta"/>.</summary>
    /// <exception cref="InvalidDataException">The field that is wrong or not handled.</exception>
    internal static RopeConfig Read(ConfigReader config, int headSize, int maxPositions, double defaultTheta)
    {
        // The engine rotates whole heads for these families, as transformers' own code does: only a factor of 1 makes sense.
        config.RequireNumber("partial_rotary_factor", 1);
        bool hasNew = config.Find("rope_parameters") is not null;
        string field = hasNew ? "rope_parameters" : "rope_scaling";
        double theta = config.Number("rope_theta", defaultTheta);
        RopeConfig plain = new() { RotarySize = headSize, Theta = theta, OriginalMaxPositions = maxPositions };
        if (hasNew && config.Find("rope_scaling") is not null)
        {
            throw config.Fault("rope_scaling", "stands beside rope_parameters; only one of the two can be right");
        }

        return config.Find(field) is { } element
            ? new RopeReader(config, field, element).Read(plain, maxPositions)
            : plain;
    }

    /// <summary>One rope object of a config, read field by field; what is left over is refused.</summary>
    private sealed class RopeReader
    {
        private readonly ConfigReader _config;
        private readonly string _field;
        private readonly Dictionary<string, JsonElement> _left = new(StringComparer.Ordinal);

        public RopeReader(ConfigReader config, string field, JsonElement element)
        {
            _config = config;
            _field = field;
            if (element.ValueKind != JsonValueKind.Object)
            {
                throw config.Fault(field, "is not an object");
            }

            foreach (JsonProperty property in element.EnumerateObject())
            {
                if (property.Value.ValueKind == JsonValueKind.Object)
                {
                    throw config.Fault($"{field}.{property.Name}", "sets a rope for one kind of layer, which is not handled");
                }

                if (property.Value.ValueKind != JsonValueKind.Null)
                {
                    _left[property.Name] = property.Value;
                }
            }
        }

        public RopeConfig Read(RopeConfig rope, int maxPositions)
        {
            if (Take("partial_rotary_factor") is { } partial && partial != 1)
            {
                throw _config.Fault($"{_field}.partial_rotary_factor", "is not 1, which is not handled");
            }

            string kind = TakeText("type") is { } old ? TakeText("rope_type") ?? old : TakeText("rope_type") ?? "default";
            rope = rope with { Theta = Take("rope_theta") ?? rope.Theta };
            if (rope.Theta <= 0)
            {
                throw _config.Fault($"{_field}.rope_theta", "is not positive");
            }

            rope = kind switch
            {
                "default" => rope,
                "linear" => rope with { Kind = RopeKind.Linear, Factor = TakeFactor() },
                "dynamic" => Dynamic(rope, maxPositions),
                "yarn" => Yarn(rope, maxPositions),
                "llama3" => Llama3(rope, maxPositions),
                "longrope" or "su" => LongRope(rope, maxPositions),
                _ => throw _config.Fault(
                    $"{_field}.rope_type", $"is '{kind}'; supported are default, linear, dynamic, yarn, llama3, longrope"),
            };
            return _left.Count == 0
                ? rope
                : throw _config.Fault($"{_field}.{_left.Keys.First()}", $"is not handled for rope_type '{kind}'");
        }

        private RopeConfig Dynamic(RopeConfig rope, int maxPositions)
        {
            // transformers writes this field for every kind but measures growth from max_position_embeddings here.
            Take("original_max_position_embeddings");
            return rope with { Kind = RopeKind.Dynamic, Factor = TakeFactor(), OriginalMaxPositions = maxPositions };
        }

        private RopeConfig Yarn(RopeConfig rope, int maxPositions)
        {
            int original = TakeLength() ?? maxPositions;
            double factor = Take("factor") ?? (double)maxPositions / original;
            double? mscale = Take("mscale");
            double? mscaleAll = Take("mscale_all_dim");

            // Either both are given and not 0, and their ratio counts, or the paper's 0.1 · ln(factor) + 1 does.
            double attention = Take("attention_factor") ?? (mscale is not (null or 0) && mscaleAll is not (null or 0)
                ? Magnitude(factor, mscale.Value) / Magnitude(factor, mscaleAll.Value)
                : Magnitude(factor, 1));
            return rope with
            {
                Kind = RopeKind.Yarn,
                Factor = Positive("factor", factor),
                OriginalMaxPositions = original,
                AttentionFactor = attention,
                BetaFast = Take("beta_fast") is { } fast and not 0 ? fast : 32,
                BetaSlow = Take("beta_slow") is { } slow and not 0 ? slow : 1,
                Truncate = TakeFlag("truncate", true),
            };
        }

        private RopeConfig Llama3(RopeConfig rope, int maxPositions)
        {
            double low = Take("low_freq_factor") ?? throw Missing("low_freq_factor");
            double high = Take("high_freq_factor") ?? throw Missing("high_freq_factor");
            return low > 0 && high > low
                ? rope with
                {
                    Kind = RopeKind.Llama3,
                    Factor = TakeFactor(),
                    OriginalMaxPositions = TakeLength() ?? maxPositions,
                    LowFrequencyFactor = low,
                    HighFrequencyFactor = high,
                }
                : throw _config.Fault($"{_field}.high_freq_factor", "must exceed low_freq_factor, and both 0");
        }

        private RopeConfig LongRope(RopeConfig rope, int maxPositions)
        {
            int? inner = TakeLength();
            int original = _config.FindSize("original_max_position_embeddings") ?? inner ?? maxPositions;
            double factor = Take("factor") ?? 1;
            if (original != maxPositions)
            {
                // The ratio of the two lengths is what counts where both are known, whatever "factor" says.
                factor = (double)maxPositions / original;
            }

            return rope with
            {
                Kind = RopeKind.LongRope,
                Factor = factor,
                OriginalMaxPositions = original,
                AttentionFactor = Take("attention_factor")
                    ?? (factor <= 1 ? 1 : Math.Sqrt(1 + (Math.Log(factor) / Math.Log(original)))),
                ShortFactors = TakeFactors("short_factor", rope.RotarySize / 2),
                LongFactors = TakeFactors("long_factor", rope.RotarySize / 2),
            };
        }

        private static double Magnitude(double factor, double scale) =>
            factor <= 1 ? 1 : (0.1 * scale * Math.Log(factor)) + 1;

        private double TakeFactor() => Positive("factor", Take("factor") ?? throw Missing("factor"));

        private int? TakeLength() => Take("original_max_position_embeddings") is not { } length
            ? null
            : length >= 1 && length <= int.MaxValue && length == Math.Floor(length)
                ? (int)length
                : throw _config.Fault($"{_field}.original_max_position_embeddings", "is not a whole number from 1");

        private double[] TakeFactors(string name, int count)
        {
            if (!_left.Remove(name, out JsonElement value) || value.ValueKind != JsonValueKind.Array)
            {
                throw Missing(name);
            }

            double[] factors = [.. value.EnumerateArray().Select(e => Positive(name, _config.ToNumber($"{_field}.{name}", e)))];
            return factors.Length == count
                ? factors
                : throw _config.Fault($"{_field}.{name}", $"has {factors.Length} numbers; {count} are wanted");
        }

        private double? Take(string name) =>
            _left.Remove(name, out JsonElement value) ? _config.ToNumber($"{_field}.{name}", value) : null;

        private string? TakeText(string name) => !_left.Remove(name, out JsonElement value)
            ? null
            : value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : throw _config.Fault($"{_field}.{name}", "is not a string");

        private bool TakeFlag(string name, bool missing) => !_left.Remove(name, out JsonElement value)
            ? missing
            : value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => throw _config.Fault($"{_field}.{name}", "is neither true nor false"),
            };

        private double Positive(string name, double value) =>
            value > 0 ? value : throw _config.Fault($"{_field}.{name}", $"is {value}; a positive number is wanted");

        private InvalidDataException Missing(string name) => _config.Fault($"{_field}.{name}", "is missing");
    }
}
