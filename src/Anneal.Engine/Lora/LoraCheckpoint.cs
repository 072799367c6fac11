using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Lora;

/// <summary>
/// Adapters as PEFT stores them: a folder with <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// What the engine does not do (DoRA, adapters on embeddings, saved modules …) is refused by name.
/// </summary>
public static class LoraCheckpoint
{
    /// <summary>Name of the configuration.</summary>
    public const string ConfigFile = "adapter_config.json";

    /// <summary>Name of the tensors.</summary>
    public const string TensorFile = "adapter_model.safetensors";

    /// <summary>Reads an adapter for a model of this shape.</summary>
    /// <exception cref="InvalidDataException">The file and field or tensor that is missing, wrong or not supported.</exception>
    public static LoraAdapter Load(string folder, DecoderConfig config, ICompute compute)
    {
        LoraOptions options = LoraConfigFile.Read(Path.Combine(folder, ConfigFile));
        string path = Path.Combine(folder, TensorFile);
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"{path}: there is no such file; an adapter in PEFT's format has one.");
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        List<LoraSlot> slots = FindSlots(file, config, options);
        Arena arena = compute.CreateArena(
            ParameterBytes(config, slots));
        try
        {
            List<LoraPair> pairs = [];
            foreach (LoraSlot slot in slots)
            {
                (int outputs, int inputs) = config.Shape(slot.Projection);
                pairs.Add(new LoraPair(
                    slot,
                    Take(compute, arena, file, slot.NameOfA, slot.Rank, inputs),
                    Take(compute, arena, file, slot.NameOfB, outputs, slot.Rank)));
            }

            return LoraAdapter.Create(config, options, pairs, arena);
        }
        catch
        {
            arena.Dispose();
            throw;
        }
    }

    /// <summary>Writes an adapter; the same adapter gives the same bytes. Each file is replaced atomically.</summary>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="adapter">What to write; factors are stored as F32.</param>
    /// <param name="baseModel">Name or path of the base model, as PEFT records it.</param>
    /// <param name="compute">The device that holds the factors.</param>
    public static void Save(string folder, LoraAdapter adapter, string baseModel, ICompute compute)
    {
        Directory.CreateDirectory(folder);
        IEnumerable<SafetensorsItem> items = adapter.Pairs.SelectMany(p => (SafetensorsItem[])
        [
            new SafetensorsItem(p.Slot.NameOfA, p.A, DType.F32),
            new SafetensorsItem(p.Slot.NameOfB, p.B, DType.F32),
        ]);
        SafetensorsWriter.Write(
            Path.Combine(folder, TensorFile), compute, items, new Dictionary<string, string> { ["format"] = "pt" });

        // The configuration last: a folder that has it is complete.
        AtomicFile.WriteText(Path.Combine(folder, ConfigFile), LoraConfigFile.Write(adapter.Options, baseModel));
    }

    private static long ParameterBytes(DecoderConfig config, List<LoraSlot> slots) => slots.Sum(slot =>
    {
        (int outputs, int inputs) = config.Shape(slot.Projection);
        return Arena.BytesFor(slot.Rank, inputs, DType.F32) + Arena.BytesFor(outputs, slot.Rank, DType.F32);
    });

    private static Tensor Take(ICompute compute, Arena arena, SafetensorsFile file, string name, int rows, int columns)
    {
        Tensor source = file.Get(name);
        if (source.Rows != rows || source.Columns != columns)
        {
            throw new InvalidDataException($"{file.Path}: tensor '{name}' is {source}; [{rows}, {columns}] is wanted.");
        }

        Tensor tensor = arena.Allocate(rows, columns);
        compute.Copy(tensor, source);
        return tensor;
    }

    /// <summary>The adapted layers: those whose factors the file holds. A tensor without a place is an error.</summary>
    private static List<LoraSlot> FindSlots(SafetensorsFile file, DecoderConfig config, LoraOptions options)
    {
        HashSet<string> left = [.. file.Entries.Keys];
        List<LoraSlot> slots = [];
        for (int layer = 0; layer < config.Layers; layer++)
        {
            for (Projection p = 0; p < (Projection)DecoderConfig.Projections; p++)
            {
                LoraSlot slot = LoraAdapter.Slot(layer, p, options);
                bool hasA = left.Remove(slot.NameOfA);
                bool hasB = left.Remove(slot.NameOfB);
                if (hasA != hasB)
                {
                    throw new InvalidDataException(
                        $"{file.Path}: '{(hasA ? slot.NameOfB : slot.NameOfA)}' is missing; its other factor is there.");
                }

                if (hasA)
                {
                    slots.Add(slot);
                }
            }
        }

        return left.Count > 0
            ? throw new InvalidDataException(
                $"{file.Path}: tensor '{left.Order(StringComparer.Ordinal).First()}' is not a LoRA factor of a layer of this model "
                + $"({config.Layers} blocks; {string.Join(", ", LoraOptions.AllTargets)}).")
            : slots.Count > 0 ? slots : throw new InvalidDataException($"{file.Path}: there are no LoRA factors in it.");
    }
}

/// <summary>Reads and writes <c>adapter_config.json</c>.</summary>
internal static class LoraConfigFile
{
    /// <summary>Fields that describe, or configure how an adapter was started or is run, not what it computes.</summary>
    private static readonly HashSet<string> Harmless = new(StringComparer.Ordinal)
    {
        "auto_mapping", "base_model_name_or_path", "corda_config", "ensure_weight_tying", "eva_config", "inference_mode",
        "init_lora_weights", "lora_ga_config", "loftq_config", "megatron_config", "megatron_core", "peft_version", "revision",
        "runtime_config", "task_type", "layers_pattern", "layers_to_transform", "exclude_modules", "qalora_group_size",
    };

    public static LoraOptions Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"{path}: there is no such file; an adapter in PEFT's format has one.");
        }

        JsonObject config;
        try
        {
            config = JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject
                ?? throw new InvalidDataException($"{path}: not a JSON object.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"{path}: not valid JSON ({fault.Message})", fault);
        }

        try
        {
            return Read(path, config);
        }
        catch (Exception fault) when (fault is InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{path}: a field has the wrong type ({fault.Message})", fault);
        }
    }

    public static string Write(LoraOptions options, string baseModel)
    {
        JsonObject ranks = [];
        foreach ((string key, int rank) in options.RankPattern)
        {
            ranks[key] = rank;
        }

        JsonObject alphas = [];
        foreach ((string key, double alpha) in options.AlphaPattern)
        {
            alphas[key] = Number(alpha);
        }

        JsonObject config = new()
        {
            ["alpha_pattern"] = alphas,
            ["auto_mapping"] = null,
            ["base_model_name_or_path"] = baseModel,
            ["bias"] = "none",
            ["exclude_modules"] = null,
            ["fan_in_fan_out"] = false,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["layer_replication"] = null,
            ["layers_pattern"] = null,
            ["layers_to_transform"] = null,
            ["lora_alpha"] = Number(options.Alpha),
            ["lora_bias"] = false,
            ["lora_dropout"] = JsonValue.Create((double)(decimal)options.Dropout),
            ["modules_to_save"] = null,
            ["peft_type"] = "LORA",
            ["r"] = options.Rank,
            ["rank_pattern"] = ranks,
            ["revision"] = null,
            ["target_modules"] = new JsonArray([.. options.Targets.Order(StringComparer.Ordinal).Select(t => JsonValue.Create(t))]),
            ["task_type"] = "CAUSAL_LM",
            ["use_dora"] = false,
            ["use_rslora"] = options.RankStabilized,
        };
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            config.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static LoraOptions Read(string path, JsonObject config)
    {
        InvalidDataException Fault(string field, string what) => new($"{path}: field '{field}' {what}.");
        HashSet<string> read = new(Harmless, StringComparer.Ordinal);
        JsonNode? Find(string field)
        {
            read.Add(field);
            return config[field];
        }

        string kind = Find("peft_type")?.GetValue<string>() ?? throw Fault("peft_type", "is missing");
        if (kind != "LORA")
        {
            throw Fault("peft_type", $"is '{kind}', which is not supported; LORA is");
        }

        if (Find("bias")?.GetValue<string>() is { } bias and not "none")
        {
            throw Fault("bias", $"is '{bias}', which is not supported; 'none' is");
        }

        LoraOptions options = new()
        {
            Rank = Find("r")?.GetValue<int>() ?? throw Fault("r", "is missing"),
            Alpha = Find("lora_alpha")?.GetValue<double>() ?? throw Fault("lora_alpha", "is missing"),
            Dropout = Find("lora_dropout")?.GetValue<float>() ?? 0,
            RankStabilized = Find("use_rslora")?.GetValue<bool>() ?? false,
            Targets = ReadTargets(Find("target_modules"), Fault),
            RankPattern = Find("rank_pattern") is JsonObject ranks
                ? ranks.ToDictionary(p => p.Key, p => p.Value!.GetValue<int>())
                : new Dictionary<string, int>(),
            AlphaPattern = Find("alpha_pattern") is JsonObject alphas
                ? alphas.ToDictionary(p => p.Key, p => p.Value!.GetValue<double>())
                : new Dictionary<string, double>(),
        };
        foreach ((string field, JsonNode? value) in config)
        {
            if (!read.Contains(field) && !IsOff(value))
            {
                throw Fault(field, $"is {value!.ToJsonString()}, which is not supported and would change what the adapter computes");
            }
        }

        try
        {
            options.Validate();
        }
        catch (ArgumentException fault)
        {
            throw new InvalidDataException($"{path}: {fault.Message}", fault);
        }

        return options;
    }

    /// <summary>
    /// The short names among PEFT's targets. The tensors in the file say which layers are adapted; a pattern or a list of
    /// full names therefore only needs a stand-in.
    /// </summary>
    private static IReadOnlyList<string> ReadTargets(JsonNode? node, Func<string, string, InvalidDataException> fault)
    {
        if (node is not JsonArray list)
        {
            return LoraOptions.AllTargets;
        }

        string[] names = [.. list.Select(n => n!.GetValue<string>().Split('.')[^1]).Distinct(StringComparer.Ordinal)];
        string? unknown = names.FirstOrDefault(n => !LoraOptions.AllTargets.Contains(n, StringComparer.Ordinal));
        return unknown is null && names.Length > 0
            ? [.. LoraOptions.AllTargets.Where(t => names.Contains(t, StringComparer.Ordinal))]
            : throw fault("target_modules", $"holds '{unknown}'; supported are {string.Join(", ", LoraOptions.AllTargets)}");
    }

    private static JsonValue Number(double value) =>
        value == Math.Floor(value) && Math.Abs(value) < int.MaxValue ? JsonValue.Create((int)value) : JsonValue.Create(value);

    private static bool IsOff(JsonNode? value) => value switch
    {
        null => true,
        JsonArray array => array.Count == 0,
        JsonObject inner => inner.Count == 0,
        JsonValue scalar => scalar.GetValueKind() switch
        {
            JsonValueKind.False => true,
            JsonValueKind.Number => scalar.GetValue<double>() == 0,
            JsonValueKind.String => scalar.GetValue<string>().Length == 0,
            _ => false,
        },
        _ => false,
    };
}
