using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Lora;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Methods;

/// <summary>One trained tensor and what the optimizer keeps of it, all F32 and of one shape.</summary>
/// <param name="Spec">Name and shape in a checkpoint.</param>
/// <param name="Value">The parameter.</param>
/// <param name="Gradient">Sum over the micro-batches of a step.</param>
/// <param name="FirstMoment">AdamW's mean of gradients.</param>
/// <param name="SecondMoment">AdamW's mean of squared gradients.</param>
internal sealed record TrainedTensor(
    WeightSpec Spec, Tensor Value, Tensor Gradient, Tensor FirstMoment, Tensor SecondMoment);

/// <summary>
/// Everything that training changes: parameters, gradients and moments, each kind in one block of memory with the decayed
/// tensors first, so that clearing, the norm and the optimizer step are a few passes however many tensors there are.
/// </summary>
internal sealed class ParameterSet : IDisposable
{
    /// <summary>Numbers a cache line holds: tensors start on line borders, so a run of them is a matrix of this width.</summary>
    private const int Line = Arena.Alignment / sizeof(float);

    private const int Kinds = 4;

    private readonly ICompute _compute;
    private readonly Arena[] _arenas;
    private readonly List<Group> _groups = [];

    private ParameterSet(
        ICompute compute, IReadOnlyList<WeightSpec> specs, Func<WeightSpec, bool> isDecayed,
        Func<IReadOnlyDictionary<string, TrainedTensor>, DecoderParameters> arrange)
    {
        _compute = compute;
        long bytes = specs.Sum(s => Arena.BytesFor(s.Rows, s.Columns, DType.F32));
        _arenas = new Arena[Kinds];
        for (int kind = 0; kind < Kinds; kind++)
        {
            _arenas[kind] = compute.CreateArena(bytes);
        }

        List<TrainedTensor> tensors = [];
        foreach (bool decayed in (ReadOnlySpan<bool>)[true, false])
        {
            List<WeightSpec> members = [.. specs.Where(s => isDecayed(s) == decayed)];
            if (members.Count == 0)
            {
                continue;
            }

            int first = tensors.Count;
            tensors.AddRange(members.Select(Carve));
            int lines = checked((int)(members.Sum(s => Arena.BytesFor(s.Rows, s.Columns, DType.F32)) / Arena.Alignment));
            Tensor Flat(Tensor start) => new(start.Address, lines, Line, DType.F32);
            TrainedTensor head = tensors[first];
            _groups.Add(new Group(
                decayed, Flat(head.Value), Flat(head.Gradient), Flat(head.FirstMoment), Flat(head.SecondMoment)));
        }

        Tensors = tensors;
        ByName = tensors.ToDictionary(t => t.Spec.Name, StringComparer.Ordinal);
        Parameters = arrange(ByName);
    }

    /// <summary>All trained tensors, decayed ones first.</summary>
    public IReadOnlyList<TrainedTensor> Tensors { get; }

    /// <summary>The same by name.</summary>
    public IReadOnlyDictionary<string, TrainedTensor> ByName { get; }

    /// <summary>Number of trained elements.</summary>
    public long Count => Tensors.Sum(t => t.Value.Length);

    /// <summary>What a decoder needs to compute with these parameters.</summary>
    public DecoderParameters Parameters { get; }

    /// <summary>Bytes that a set takes: four numbers an element.</summary>
    public static long Bytes(IEnumerable<WeightSpec> specs) =>
        Kinds * specs.Sum(s => Arena.BytesFor(s.Rows, s.Columns, DType.F32));

    /// <summary>Tensors of an adapter as they are named in its file.</summary>
    public static IReadOnlyList<WeightSpec> AdapterSpecs(DecoderConfig config, IEnumerable<LoraSlot> slots)
    {
        List<WeightSpec> specs = [];
        foreach (LoraSlot slot in slots)
        {
            (int outputs, int inputs) = config.Shape(slot.Projection);
            specs.Add(new WeightSpec(slot.NameOfA, slot.Rank, inputs, false));
            specs.Add(new WeightSpec(slot.NameOfB, outputs, slot.Rank, false));
        }

        return specs;
    }

    /// <summary>A trained copy of every weight of the base model, widened to F32.</summary>
    /// <param name="compute">The device.</param>
    /// <param name="model">Where training starts.</param>
    /// <param name="decayVectors">Whether norm weights and biases decay too.</param>
    public static ParameterSet ForFull(ICompute compute, BaseModel model, bool decayVectors)
    {
        DecoderConfig config = model.Config;
        ParameterSet set = new(
            compute,
            [.. config.Weights()],
            spec => decayVectors || !spec.IsVector,
            made => new DecoderParameters(
                DecoderWeights.Create(config, name => made[name].Value),
                DecoderWeights.Create(config, name => made[name].Gradient)));
        foreach (TrainedTensor tensor in set.Tensors)
        {
            compute.Copy(tensor.Value, model.Weight(tensor.Spec.Name));
        }

        return set;
    }

    /// <summary>The factors of an adapter over frozen base weights; start values are the caller's to write.</summary>
    public static ParameterSet ForAdapter(
        ICompute compute, BaseModel model, LoraOptions options, IReadOnlyList<LoraSlot> slots)
    {
        DecoderConfig config = model.Config;
        return new ParameterSet(
            compute,
            AdapterSpecs(config, slots),
            _ => true,
            made => new DecoderParameters(
                model.Weights,
                null,
                LoraAdapter.Create(
                    config, options, slots.Select(s => new LoraPair(s, made[s.NameOfA].Value, made[s.NameOfB].Value)), null),
                LoraAdapter.Create(
                    config, options, slots.Select(s => new LoraPair(s, made[s.NameOfA].Gradient, made[s.NameOfB].Gradient)), null)));
    }

    /// <summary>Makes every gradient zero.</summary>
    public void ClearGradients()
    {
        foreach (Group group in _groups)
        {
            _compute.Fill(group.Gradient, 0);
        }
    }

    /// <summary>The length of all gradients taken as one vector.</summary>
    public double GradientNorm()
    {
        double sum = 0;
        foreach (Group group in _groups)
        {
            sum += _compute.SumOfSquares(group.Gradient);
        }

        return Math.Sqrt(sum);
    }

    /// <summary>One optimizer step on everything; the decay applies to decayed tensors only.</summary>
    public void Step(in AdamWStep step)
    {
        foreach (Group group in _groups)
        {
            AdamWStep own = group.IsDecayed ? step : step with { WeightDecay = 0 };
            _compute.AdamW(group.Value, group.Gradient, group.FirstMoment, group.SecondMoment, own);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Arena arena in _arenas)
        {
            arena.Dispose();
        }
    }

    private TrainedTensor Carve(WeightSpec spec)
    {
        Tensor Take(int kind) => _arenas[kind].Allocate(spec.Rows, spec.Columns);
        return new TrainedTensor(spec, Take(0), Take(1), Take(2), Take(3));
    }

    private sealed record Group(bool IsDecayed, Tensor Value, Tensor Gradient, Tensor FirstMoment, Tensor SecondMoment);
}
