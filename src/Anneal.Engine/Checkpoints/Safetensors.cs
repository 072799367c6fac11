using System.Text.Json;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Checkpoints;

/// <summary>
/// The weights of one model folder in Hugging Face's layout: <c>model.safetensors</c>, or the shards that
/// <c>model.safetensors.index.json</c> lists. All files are memory-mapped.
/// </summary>
public sealed class Safetensors : IDisposable
{
    /// <summary>Name of the single file.</summary>
    public const string SingleFile = "model.safetensors";

    /// <summary>Name of the list of shards.</summary>
    public const string IndexFile = "model.safetensors.index.json";

    private const int IndexBytesMax = 64 << 20;

    private readonly List<SafetensorsFile> _files;
    private readonly Dictionary<string, SafetensorsFile> _fileOf;

    private Safetensors(List<SafetensorsFile> files, Dictionary<string, SafetensorsFile> fileOf)
    {
        _files = files;
        _fileOf = fileOf;
    }

    /// <summary>Every tensor of the model, in ordinal order.</summary>
    public IEnumerable<string> Names => _fileOf.Keys.Order(StringComparer.Ordinal);

    /// <summary>Bytes of all tensors.</summary>
    public long Bytes => _fileOf.Sum(pair => pair.Value.Entries[pair.Key].Bytes);

    /// <summary>Opens the weights in a folder.</summary>
    /// <exception cref="InvalidDataException">No weights, or a file or index that is wrong: its name and what is wrong.</exception>
    public static Safetensors OpenFolder(string folder)
    {
        string single = Path.Combine(folder, SingleFile);
        string index = Path.Combine(folder, IndexFile);
        if (File.Exists(single))
        {
#pragma warning disable CA2000 // The new object owns the file.
            SafetensorsFile file = SafetensorsFile.Open(single);
#pragma warning restore CA2000
            return new Safetensors([file], file.Entries.Keys.ToDictionary(n => n, _ => file, StringComparer.Ordinal));
        }

        return File.Exists(index)
            ? OpenShards(folder, index)
            : throw SafetensorsHeader.Fault(folder, $"neither {SingleFile} nor {IndexFile} is there");
    }

    /// <summary>Whether the model has a tensor of this name.</summary>
    public bool Contains(string name) => _fileOf.ContainsKey(name);

    /// <summary>A tensor of one or two dimensions as a view into its mapped file; a vector is one row.</summary>
    /// <exception cref="InvalidDataException">No such tensor, or one that the engine does not compute with.</exception>
    public Tensor Get(string name) => _fileOf.TryGetValue(name, out SafetensorsFile? file)
        ? file.Get(name)
        : throw SafetensorsHeader.Fault(_files[0].Path, $"tensor '{name}' is missing");

    /// <summary>The file that holds a tensor, for messages.</summary>
    public string FileOf(string name) => _fileOf.TryGetValue(name, out SafetensorsFile? file) ? file.Path : _files[0].Path;

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private static Safetensors OpenShards(string folder, string index)
    {
        Dictionary<string, SafetensorsFile> fileByName = new(StringComparer.Ordinal);
        Dictionary<string, SafetensorsFile> fileOf = new(StringComparer.Ordinal);
        try
        {
            foreach ((string tensor, string shard) in ReadIndex(index))
            {
                if (!fileByName.TryGetValue(shard, out SafetensorsFile? file))
                {
                    string path = Path.Combine(folder, shard);
                    if (!File.Exists(path))
                    {
                        throw SafetensorsHeader.Fault(index, $"tensor '{tensor}' is said to be in '{shard}', which is not there");
                    }

                    file = SafetensorsFile.Open(path);
                    fileByName.Add(shard, file);
                }

                if (!file.Entries.ContainsKey(tensor))
                {
                    throw SafetensorsHeader.Fault(index, $"tensor '{tensor}' is said to be in '{shard}', which does not hold it");
                }

                if (!fileOf.TryAdd(tensor, file))
                {
                    throw SafetensorsHeader.Fault(index, $"'weight_map' names tensor '{tensor}' twice");
                }
            }
        }
        catch
        {
            foreach (SafetensorsFile file in fileByName.Values)
            {
                file.Dispose();
            }

            throw;
        }

        return fileOf.Count > 0
            ? new Safetensors([.. fileByName.Values], fileOf)
            : throw SafetensorsHeader.Fault(index, "'weight_map' is empty");
    }

    private static List<(string Tensor, string Shard)> ReadIndex(string index)
    {
        if (new FileInfo(index).Length > IndexBytesMax)
        {
            throw SafetensorsHeader.Fault(index, $"the file is longer than {IndexBytesMax} bytes");
        }

        List<(string, string)> entries = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(index));
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out JsonElement map)
                || map.ValueKind != JsonValueKind.Object)
            {
                throw SafetensorsHeader.Fault(index, "'weight_map' is missing or not an object");
            }

            foreach (JsonProperty property in map.EnumerateObject())
            {
                string? shard = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;

                // A plain name only: an index must not make us open anything outside its own folder.
                if (string.IsNullOrEmpty(shard) || shard != Path.GetFileName(shard) || shard.Contains('\\', StringComparison.Ordinal)
                    || shard is "." or "..")
                {
                    throw SafetensorsHeader.Fault(
                        index, $"tensor '{property.Name}' points to '{shard}'; a file name in the same folder is wanted");
                }

                entries.Add((property.Name, shard));
            }
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"{index}: not valid JSON ({fault.Message})", fault);
        }

        return entries;
    }
}
