using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Lora;

namespace Anneal.Engine.Methods;

/// <summary>
/// Where training begins and what it will take: every weight, a fresh adapter, or one to go on from. Sizes are known before
/// any memory is reserved, so that a plan can refuse a run first.
/// </summary>
internal sealed class TrainingStart : IDisposable
{
    private readonly BaseModel _model;
    private readonly ICompute _compute;
    private readonly SupervisedOptions _options;
    private readonly LoraAdapter? _existing;
    private readonly LoraOptions? _lora;
    private readonly IReadOnlyList<LoraSlot> _slots;

    private TrainingStart(BaseModel model, ICompute compute, SupervisedOptions options)
    {
        _model = model;
        _compute = compute;
        _options = options;
        if (options.AdapterFolder is { } folder)
        {
            _existing = LoraCheckpoint.Load(folder, model.Config, compute);
            _lora = _existing.Options;
            _slots = [.. _existing.Pairs.Select(p => p.Slot)];
        }
        else if (options.Lora is { } lora)
        {
            _lora = lora;
            _slots = LoraAdapter.Layout(model.Config, lora);
        }
        else
        {
            _slots = [];
        }
    }

    /// <summary>Largest rank; 0 when every weight is trained.</summary>
    public int MaxRank => _slots.Count == 0 ? 0 : _slots.Max(s => s.Rank);

    /// <summary>Dropout of the adapter.</summary>
    public float Dropout => _lora?.Dropout ?? 0;

    /// <summary>Trained parameters with gradients and moments.</summary>
    public long ParameterBytes => ParameterSet.Bytes(
        _lora is null ? _model.Config.Weights() : ParameterSet.AdapterSpecs(_model.Config, _slots));

    /// <summary>
    /// Base weights that must stay in memory. Full training reads them once, into its own copy; the pages of a mapped file
    /// are then free to go.
    /// </summary>
    public long WeightBytes => _lora is null && _model.Folder.Length > 0 ? 0 : _model.Bytes;

    public static TrainingStart Of(BaseModel model, ICompute compute, SupervisedOptions options) => new(model, compute, options);

    /// <summary>Reserves the trained parameters and writes their start values.</summary>
    public ParameterSet CreateParameters()
    {
        if (_lora is null)
        {
            return ParameterSet.ForFull(_compute, _model, _options.DecayEverything);
        }

        ParameterSet set = ParameterSet.ForAdapter(_compute, _model, _lora, _slots);
        foreach (LoraPair pair in set.Parameters.Adapter!.Pairs)
        {
            if (_existing?.Pair(pair.Slot.Layer, pair.Slot.Projection) is { } source)
            {
                _compute.Copy(pair.A, source.A);
                _compute.Copy(pair.B, source.B);
                continue;
            }

            float[] a = new float[pair.A.Length];
            LoraAdapter.Initialize(pair, a, _options.Seed);
            _compute.Upload(pair.A, a);
        }

        return set;
    }

    public void Dispose() => _existing?.Dispose();
}
