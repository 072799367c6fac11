using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Checkpoints;

/// <summary>One tensor to be written.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="Source">The numbers, in the device's memory.</param>
/// <param name="Type">How they are stored: F32, or rounded to nearest even into BF16 or F16.</param>
/// <param name="IsVector">Whether the one row is written as a vector, [n] instead of [1, n].</param>
public readonly record struct SafetensorsItem(string Name, Tensor Source, DType Type, bool IsVector = false);

/// <summary>
/// Writes safetensors files. The same tensors give the same bytes: wider types first, then by name (the order of the format's
/// own library), metadata by key, the header padded with spaces to a multiple of eight.
/// </summary>
public static class SafetensorsWriter
{
    private const int BlockElements = 1 << 16;

    /// <summary>Writes a file atomically.</summary>
    /// <exception cref="IOException">The disk is full or the folder cannot be written; an older file is untouched.</exception>
    public static void Write(
        string path, ICompute compute, IEnumerable<SafetensorsItem> items, IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, compute, items, metadata));

    /// <summary>Writes to a stream.</summary>
    public static void Write(
        Stream stream, ICompute compute, IEnumerable<SafetensorsItem> items, IReadOnlyDictionary<string, string>? metadata = null)
    {
        List<SafetensorsItem> ordered =
        [
            .. items.OrderByDescending(i => i.Type.SizeInBytes()).ThenBy(i => i.Name, StringComparer.Ordinal),
        ];
        byte[] header = Header(ordered, metadata);
        Span<byte> prefix = stackalloc byte[SafetensorsHeader.PrefixBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
        stream.Write(prefix);
        stream.Write(header);

        float[] wide = new float[BlockElements];
        byte[] narrow = new byte[BlockElements * sizeof(float)];
        foreach (SafetensorsItem item in ordered)
        {
            WriteNumbers(stream, compute, item, ref wide, ref narrow);
        }
    }

    private static byte[] Header(List<SafetensorsItem> ordered, IReadOnlyDictionary<string, string>? metadata)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long at = 0;
            foreach (SafetensorsItem item in ordered)
            {
                long end = at + (item.Source.Length * item.Type.SizeInBytes());
                json.WriteStartObject(item.Name);
                json.WriteString("dtype", item.Type.ToString());
                json.WriteStartArray("shape");
                if (!item.IsVector)
                {
                    json.WriteNumberValue(item.Source.Rows);
                }

                json.WriteNumberValue(item.Source.Columns);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                at = end;
            }

            json.WriteEndObject();
        }

        while (buffer.Length % SafetensorsHeader.PrefixBytes != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }

    private static void WriteNumbers(
        Stream stream, ICompute compute, SafetensorsItem item, ref float[] wide, ref byte[] narrow)
    {
        Tensor source = item.Source;
        if (source.Columns > wide.Length)
        {
            wide = new float[source.Columns];
            narrow = new byte[source.Columns * sizeof(float)];
        }

        int rowsAtOnce = Math.Max(1, wide.Length / Math.Max(1, source.Columns));
        for (int row = 0; row < source.Rows; row += rowsAtOnce)
        {
            Tensor block = source.SliceRows(row, Math.Min(rowsAtOnce, source.Rows - row));
            Span<float> numbers = wide.AsSpan(0, (int)block.Length);
            compute.Download(numbers, block);
            Span<byte> bytes = narrow.AsSpan(0, numbers.Length * item.Type.SizeInBytes());
            Narrow(numbers, bytes, item.Type);
            stream.Write(bytes);
        }
    }

    private static void Narrow(ReadOnlySpan<float> numbers, Span<byte> bytes, DType type)
    {
        switch (type)
        {
            case DType.F32:
                MemoryMarshal.AsBytes(numbers).CopyTo(bytes);
                break;
            case DType.BF16:
                Bf16.FromSingle(numbers, MemoryMarshal.Cast<byte, ushort>(bytes));
                break;
            case DType.F16:
                Span<Half> halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (int i = 0; i < numbers.Length; i++)
                {
                    halves[i] = (Half)numbers[i];
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "Not a floating type.");
        }
    }
}
