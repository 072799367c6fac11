using System.Text.Json;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Checkpoints;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="StoredType">Type as the file spells it, for example <c>BF16</c>.</param>
/// <param name="Shape">Sizes, outermost first; empty for a scalar.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Bytes">Number of bytes.</param>
public sealed record SafetensorsEntry(
    string Name, string StoredType, IReadOnlyList<long> Shape, long Offset, long Bytes)
{
    /// <summary>The storage type, or null for one that the engine does not compute with (integers, F64, F8 …).</summary>
    public DType? Type => StoredType switch
    {
        "F32" => DType.F32,
        "F16" => DType.F16,
        "BF16" => DType.BF16,
        _ => null,
    };
}

/// <summary>
/// Reads the JSON header of a safetensors file (https://github.com/huggingface/safetensors, "Format") and trusts none of it:
/// what passes here can be addressed without looking again.
/// </summary>
internal static class SafetensorsHeader
{
    /// <summary>Longest header taken, in bytes: the limit of the format's own library.</summary>
    public const int HeaderBytesMax = 100_000_000;

    /// <summary>Bytes before the header: its length as an unsigned little-endian number.</summary>
    public const int PrefixBytes = 8;

    /// <summary>Parses the header of a region of <paramref name="regionBytes"/> bytes.</summary>
    /// <param name="path">Named in errors.</param>
    /// <param name="regionBytes">Bytes of the region, prefix and header included.</param>
    /// <param name="json">The header.</param>
    /// <exception cref="InvalidDataException">The file, the tensor, and what is wrong with it.</exception>
    public static (Dictionary<string, SafetensorsEntry> Entries, Dictionary<string, string> Metadata) Parse(
        string path, long regionBytes, ReadOnlyMemory<byte> json)
    {
        Dictionary<string, SafetensorsEntry> entries = new(StringComparer.Ordinal);
        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        long dataStart = PrefixBytes + json.Length;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Fault(path, "the header is not a JSON object");
            }

            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (property.NameEquals("__metadata__"))
                {
                    ReadMetadata(path, property.Value, metadata);
                }
                else if (!entries.TryAdd(property.Name, ReadEntry(path, property, dataStart, regionBytes - dataStart)))
                {
                    throw Fault(path, $"the header names tensor '{property.Name}' twice");
                }
            }
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"{path}: the header is not valid JSON ({fault.Message})", fault);
        }

        RequireCover(path, entries.Values, dataStart, regionBytes);
        return (entries, metadata);
    }

    /// <summary>Bytes of one element of a type as the format spells it, or null for an unknown type.</summary>
    public static int? ElementBytes(string storedType) => storedType switch
    {
        "F64" or "I64" or "U64" or "C64" => 8,
        "F32" or "I32" or "U32" => 4,
        "F16" or "BF16" or "I16" or "U16" => 2,
        "I8" or "U8" or "BOOL" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => 1,
        _ => null,
    };

    public static InvalidDataException Fault(string path, string what) => new($"{path}: {what}.");

    private static void ReadMetadata(string path, JsonElement element, Dictionary<string, string> metadata)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Fault(path, "'__metadata__' is not a JSON object");
        }

        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
            {
                throw Fault(path, $"'__metadata__' holds '{property.Name}', which is not a string");
            }

            metadata[property.Name] = property.Value.GetString()!;
        }
    }

    private static SafetensorsEntry ReadEntry(string path, JsonProperty property, long dataStart, long dataBytes)
    {
        string name = property.Name;
        if (property.Value.ValueKind != JsonValueKind.Object)
        {
            throw Fault(path, $"tensor '{name}' is not described by a JSON object");
        }

        string? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        foreach (JsonProperty field in property.Value.EnumerateObject())
        {
            switch (field.Name)
            {
                case "dtype" when type is null && field.Value.ValueKind == JsonValueKind.String:
                    type = field.Value.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(path, name, "shape", field.Value);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(path, name, "data_offsets", field.Value);
                    break;
                default:
                    throw Fault(path, $"tensor '{name}' has an unknown, repeated or mistyped field '{field.Name}'");
            }
        }

        if (type is null || shape is null || offsets is not { Count: 2 })
        {
            throw Fault(path, $"tensor '{name}' lacks dtype, shape or two data_offsets");
        }

        (long begin, long end) = (offsets[0], offsets[1]);
        if (begin > end || end > dataBytes)
        {
            throw Fault(path, $"tensor '{name}' claims bytes {begin}..{end} of {dataBytes}");
        }

        RequireSize(path, name, type, shape, end - begin);
        return new SafetensorsEntry(name, type, shape, dataStart + begin, end - begin);
    }

    private static void RequireSize(string path, string name, string type, List<long> shape, long bytes)
    {
        UInt128 size = (UInt128)(ElementBytes(type) ?? throw Fault(path, $"tensor '{name}' has the unknown dtype '{type}'"));
        foreach (long dimension in shape)
        {
            // Capped so that a chain of huge sizes cannot wrap around to the right number; a later 0 makes it 0 again.
            size = UInt128.Min(size * (ulong)dimension, (UInt128)1 << 64);
        }

        if (size != (UInt128)(ulong)bytes)
        {
            string text = string.Join(", ", shape);
            throw Fault(path, $"tensor '{name}' is {type}[{text}], which is {size} bytes, but its offsets span {bytes}");
        }
    }

    private static List<long> ReadNumbers(string path, string name, string field, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Array || element.GetArrayLength() > 16)
        {
            throw Fault(path, $"tensor '{name}' has a {field} that is not a short list");
        }

        List<long> numbers = new(element.GetArrayLength());
        foreach (JsonElement item in element.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out long number) || number < 0)
            {
                throw Fault(path, $"tensor '{name}' has '{item.GetRawText()}' in its {field}; whole numbers from 0 are wanted");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    /// <summary>The format's rule: tensors follow each other without gap or overlap and fill the file.</summary>
    private static void RequireCover(
        string path, IEnumerable<SafetensorsEntry> entries, long dataStart, long regionBytes)
    {
        long at = dataStart;
        foreach (SafetensorsEntry entry in entries.OrderBy(e => e.Offset).ThenBy(e => e.Bytes))
        {
            if (entry.Offset != at)
            {
                string how = entry.Offset < at ? "overlaps the tensor before it" : "leaves a gap before it";
                throw Fault(path, $"tensor '{entry.Name}' at byte {entry.Offset - dataStart} of the data {how}");
            }

            at += entry.Bytes;
        }

        if (at != regionBytes)
        {
            throw Fault(path, $"the tensors end {regionBytes - at} bytes before the end of the file");
        }
    }
}
