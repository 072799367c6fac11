using System.Text.RegularExpressions;
using Anneal.Engine.Architectures;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Lora;

/// <summary>One adapted layer: where it is, how wide, and what its product is multiplied with.</summary>
/// <param name="Layer">Block.</param>
/// <param name="Projection">Layer of the block.</param>
/// <param name="Rank">Rows of A, columns of B.</param>
/// <param name="Scale">alpha / rank or alpha / √rank.</param>
public readonly record struct LoraSlot(int Layer, Projection Projection, int Rank, float Scale)
{
    /// <summary>Name of A in an adapter file as PEFT writes it.</summary>
    public string NameOfA => $"base_model.model.{DecoderConfig.ModuleName(Layer, Projection)}.lora_A.weight";

    /// <summary>Name of B.</summary>
    public string NameOfB => $"base_model.model.{DecoderConfig.ModuleName(Layer, Projection)}.lora_B.weight";
}

/// <summary>The two factors of one adapted layer, or their gradients.</summary>
/// <param name="Slot">Where they belong.</param>
/// <param name="A">[rank, inputs].</param>
/// <param name="B">[outputs, rank].</param>
public sealed record LoraPair(LoraSlot Slot, Tensor A, Tensor B);

/// <summary>
/// A low-rank adapter of one architecture: pairs of factors by block and projection. The memory that holds them belongs to
/// the adapter, or, while it is trained, to the trainer.
/// </summary>
public sealed class LoraAdapter : IDisposable
{
    private static readonly TimeSpan PatternTimeMax = TimeSpan.FromSeconds(1);

    private readonly LoraPair?[] _pairs;
    private readonly IDisposable? _memory;

    private LoraAdapter(LoraOptions options, LoraPair?[] pairs, IDisposable? memory)
    {
        Options = options;
        _pairs = pairs;
        _memory = memory;
    }

    /// <summary>What it was made with.</summary>
    public LoraOptions Options { get; }

    /// <summary>All pairs, by block, then by projection.</summary>
    public IEnumerable<LoraPair> Pairs => _pairs.OfType<LoraPair>();

    /// <summary>The pair of one layer, or null where nothing is adapted.</summary>
    public LoraPair? Pair(int layer, Projection projection) => _pairs[(layer * DecoderConfig.Projections) + (int)projection];

    /// <summary>The layers that <paramref name="options"/> adapt, with their ranks and scales.</summary>
    /// <exception cref="ArgumentException">An option out of its range.</exception>
    public static IReadOnlyList<LoraSlot> Layout(DecoderConfig config, LoraOptions options)
    {
        options.Validate();
        List<LoraSlot> slots = [];
        for (int layer = 0; layer < config.Layers; layer++)
        {
            for (Projection p = 0; p < (Projection)DecoderConfig.Projections; p++)
            {
                if (options.Targets.Contains(DecoderConfig.ShortName(p), StringComparer.Ordinal))
                {
                    slots.Add(Slot(layer, p, options));
                }
            }
        }

        return slots;
    }

    /// <summary>The rank and scale of one layer under the options' patterns.</summary>
    public static LoraSlot Slot(int layer, Projection projection, LoraOptions options)
    {
        string module = DecoderConfig.ModuleName(layer, projection);
        int rank = Match(options.RankPattern, module, options.Rank);
        double alpha = Match(options.AlphaPattern, module, options.Alpha);
        double scale = options.RankStabilized ? alpha / Math.Sqrt(rank) : alpha / rank;
        return new LoraSlot(layer, projection, rank, (float)scale);
    }

    /// <summary>Arranges pairs whose memory <paramref name="memory"/> owns (null: somebody else's).</summary>
    public static LoraAdapter Create(DecoderConfig config, LoraOptions options, IEnumerable<LoraPair> pairs, IDisposable? memory)
    {
        LoraPair?[] all = new LoraPair?[config.Layers * DecoderConfig.Projections];
        foreach (LoraPair pair in pairs)
        {
            (int outputs, int inputs) = config.Shape(pair.Slot.Projection);
            bool fits = pair.A.Rows == pair.Slot.Rank && pair.A.Columns == inputs
                && pair.B.Rows == outputs && pair.B.Columns == pair.Slot.Rank;
            if (!fits)
            {
                throw new ArgumentException($"{pair} does not fit a layer of {outputs} outputs and {inputs} inputs.");
            }

            all[(pair.Slot.Layer * DecoderConfig.Projections) + (int)pair.Slot.Projection] = pair;
        }

        return new LoraAdapter(options, all, memory);
    }

    /// <summary>
    /// Start values as PEFT has them, from a counter-based generator: A uniform in ± 1/√inputs, B zero, so that training
    /// starts at the base model.
    /// </summary>
    public static void Initialize(LoraPair pair, Span<float> a, ulong seed)
    {
        float bound = 1 / MathF.Sqrt(pair.A.Columns);
        ulong stream = ((ulong)pair.Slot.Layer << 8) | (uint)pair.Slot.Projection;
        for (int i = 0; i < a.Length; i++)
        {
            a[i] = bound * ((2 * Philox.UniformAt(seed, stream, (ulong)i)) - 1);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _memory?.Dispose();

    /// <summary>PEFT's rule: the first key that matches the whole end of the module name, from the start of a name part.</summary>
    private static T Match<T>(IReadOnlyDictionary<string, T> patterns, string module, T otherwise)
    {
        foreach ((string key, T value) in patterns)
        {
            if (Regex.IsMatch(module, $@"^(.*\.)?({key})$", RegexOptions.CultureInvariant, PatternTimeMax))
            {
                return value;
            }
        }

        return otherwise;
    }
}
