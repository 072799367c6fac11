using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Architectures;

/// <summary>
/// A model as it lies on the disk: its configuration and its weights, memory-mapped in the file's own type and never widened
/// in memory. Read-only, so training runs, generators and processes share it.
/// </summary>
public sealed class BaseModel : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly IDisposable _memory;
    private string? _fingerprint;

    private BaseModel(string folder, DecoderConfig config, Dictionary<string, Tensor> tensors, IDisposable memory)
    {
        Folder = folder;
        Config = config;
        _tensors = tensors;
        _memory = memory;
        Weights = DecoderWeights.Create(config, name => tensors[name]);
    }

    /// <summary>The model folder; empty for a model that was made in memory.</summary>
    public string Folder { get; }

    /// <summary>What the model computes.</summary>
    public DecoderConfig Config { get; }

    /// <summary>The weights as the network uses them.</summary>
    public DecoderWeights Weights { get; }

    /// <summary>Bytes of all weights.</summary>
    public long Bytes => _tensors.Values.Sum(t => t.Length * t.Type.SizeInBytes());

    /// <summary>
    /// A hash that tells this model from others: its shape and rope, names, types and shapes of its tensors, and the first
    /// and last numbers of each. Reading every byte of a large model would take longer than a short run.
    /// </summary>
    public string Fingerprint => _fingerprint ??= ComputeFingerprint();

    /// <summary>A weight by its name in the checkpoint.</summary>
    public Tensor Weight(string name) => _tensors[name];

    /// <summary>Opens a folder in Hugging Face's layout.</summary>
    /// <exception cref="InvalidDataException">
    /// The file, field or tensor that is missing, damaged, of another shape than the configuration says, or of no use to the
    /// architecture (a bias that the configuration denies, say, would change what the model computes).
    /// </exception>
    public static BaseModel Load(string folder)
    {
        DecoderConfig config = ArchitectureCatalog.Load(folder);
        Safetensors file = Safetensors.OpenFolder(folder);
        try
        {
            Dictionary<string, Tensor> tensors = new(StringComparer.Ordinal);
            foreach (WeightSpec spec in config.Weights())
            {
                Tensor tensor = file.Get(spec.Name);
                if (tensor.Rows != spec.Rows || tensor.Columns != spec.Columns)
                {
                    throw new InvalidDataException(
                        $"{file.FileOf(spec.Name)}: tensor '{spec.Name}' is {tensor}; config.json makes it [{spec.Rows}, {spec.Columns}].");
                }

                tensors.Add(spec.Name, tensor);
            }

            RefuseUnused(config, file, tensors);
            return new BaseModel(folder, config, tensors, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A model with random weights in memory, for measurements; norms are 1 and biases 0.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="type">Storage of the weights.</param>
    /// <param name="seed">Different seeds give different weights.</param>
    public static BaseModel Random(DecoderConfig config, DType type, ulong seed)
    {
        Arena arena = new(config.Weights().Sum(w => Arena.BytesFor(w.Rows, w.Columns, type)));
        Dictionary<string, Tensor> tensors = new(StringComparer.Ordinal);
        ulong stream = 0;
        foreach (WeightSpec spec in config.Weights())
        {
            Tensor tensor = arena.Allocate(spec.Rows, spec.Columns, type);
            bool isBias = spec.Name.EndsWith(".bias", StringComparison.Ordinal);
            RandomWeights.Fill(tensor, spec.IsVector ? (isBias ? 0 : 1) : null, seed, stream++);
            tensors.Add(spec.Name, tensor);
        }

        return new BaseModel("", config, tensors, arena);
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private string ComputeFingerprint()
    {
        const int sampleBytes = 4096;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (WeightSpec spec in Config.Weights())
        {
            Tensor tensor = _tensors[spec.Name];
            hash.AppendData(Encoding.UTF8.GetBytes($"{spec.Name} {tensor}\n"));
            foreach (int row in (ReadOnlySpan<int>)[0, tensor.Rows - 1])
            {
                Tensor line = tensor.SliceRows(row, 1);
                Span<byte> bytes = line.Type == DType.F32
                    ? MemoryMarshal.AsBytes(line.AsSpan<float>())
                    : MemoryMarshal.AsBytes(line.AsSpan<ushort>());
                hash.AppendData(bytes[..Math.Min(bytes.Length, sampleBytes)]);
            }
        }

        // The configuration's text covers what tensors do not show: rope, windows, epsilon.
        hash.AppendData(Folder.Length > 0 ? File.ReadAllBytes(Path.Combine(Folder, "config.json")) : []);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void RefuseUnused(DecoderConfig config, Safetensors file, Dictionary<string, Tensor> tensors)
    {
        foreach (string name in file.Names)
        {
            // Old converters stored the rotary frequencies, and a tied head a second time.
            bool harmless = name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal)
                || (config.TieEmbeddings && name == DecoderConfig.HeadName);
            if (!harmless && !tensors.ContainsKey(name))
            {
                throw new InvalidDataException(
                    $"{file.FileOf(name)}: tensor '{name}' has no place in model_type '{config.ModelType}' as config.json describes it.");
            }
        }
    }
}
