using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// SentencePiece's table of replacements: a double-array trie (Darts) over UTF-8 whose values are places in a block of
/// zero-terminated strings. It is asked for whole grapheme clusters first and then for single characters.
/// </summary>
internal sealed class PrecompiledMap : Normalizer
{
    // Longer clusters are not looked up as a whole, as the format's library has it.
    private const int ClusterBytesMax = 6;

    private readonly uint[] _units;
    private readonly byte[] _strings;

    private PrecompiledMap(uint[] units, byte[] strings) => (_units, _strings) = (units, strings);

    /// <summary>Reads the section's <c>precompiled_charsmap</c>.</summary>
    public static new PrecompiledMap Read(Fields section)
    {
        string path = $"{section.Path}.precompiled_charsmap";
        JsonElement element = section.Get("precompiled_charsmap");
        if (element.ValueKind != JsonValueKind.String || !element.TryGetBytesFromBase64(out byte[]? data))
        {
            throw new InvalidDataException($"{path} must be a string in Base64.");
        }

        uint size = data.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(data) : 0;
        if (size == 0 || size % 4 != 0 || size > data.Length - 4)
        {
            throw new InvalidDataException($"{path} has {data.Length} bytes and a table of {size}, which does not fit.");
        }

        uint[] units = new uint[size / 4];
        for (int i = 0; i < units.Length; i++)
        {
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(4 + (4 * i)));
        }

        return new PrecompiledMap(units, data[(4 + (int)size)..]);
    }

    /// <inheritdoc/>
    public override void Apply(AlignedText text)
    {
        List<Change> changes = new(text.Length);
        bool changed = false;
        ReadOnlySpan<char> rest = text.Span;
        while (rest.Length > 0)
        {
            int length = StringInfo.GetNextTextElementLength(rest);
            changed |= Replace(rest[..length], changes);
            rest = rest[length..];
        }

        if (changed)
        {
            text.Transform(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(changes));
        }
    }

    private bool Replace(ReadOnlySpan<char> cluster, List<Change> changes)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(cluster) < ClusterBytesMax && Find(cluster) is { } whole)
        {
            Add(changes, cluster, whole);
            return true;
        }

        bool changed = false;
        while (cluster.Length > 0)
        {
            Rune.DecodeFromUtf16(cluster, out Rune rune, out int width);
            if (Find(cluster[..width]) is { } one)
            {
                Add(changes, cluster[..width], one);
                changed = true;
            }
            else
            {
                changes.Add(new Change(rune.Value, 0));
            }

            cluster = cluster[width..];
        }

        return changed;
    }

    /// <summary>Adds what replaces a part: code points one for one, the surplus as new, a shortfall as removed after the last.</summary>
    private static void Add(List<Change> changes, ReadOnlySpan<char> old, string replacement)
    {
        int before = changes.Count;
        changes.AddRange(replacement.EnumerateRunes().Select(r => new Change(r.Value, 0)));
        int surplus = changes.Count - before;
        foreach (Rune _ in old.EnumerateRunes())
        {
            surplus--;
        }

        for (int i = 1; i <= surplus && i <= changes.Count; i++)
        {
            changes[^i] = changes[^i] with { Delta = 1 };
        }

        if (surplus < 0 && changes.Count > 0)
        {
            changes[^1] = changes[^1] with { Delta = changes[^1].Delta + surplus };
        }
    }

    /// <summary>The replacement of the shortest key that the part begins with.</summary>
    private string? Find(ReadOnlySpan<char> part)
    {
        Span<byte> key = stackalloc byte[3 * part.Length];
        key = key[..System.Text.Encoding.UTF8.GetBytes(part, key)];
        uint unit = _units[0];
        uint node = Offset(unit);
        foreach (byte b in key)
        {
            node ^= b;
            if (b == 0 || node >= _units.Length)
            {
                return null;
            }

            unit = _units[node];
            if ((unit & 0x800000FF) != b)
            {
                return null;
            }

            node ^= Offset(unit);
            if ((unit >> 8 & 1) != 0 && node < _units.Length)
            {
                return StringAt(_units[node] & 0x7FFFFFFF);
            }
        }

        return null;
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 0x200) >> 6);

    private string? StringAt(uint start)
    {
        if (start >= _strings.Length)
        {
            return null;
        }

        ReadOnlySpan<byte> rest = _strings.AsSpan((int)start);
        int end = rest.IndexOf((byte)0);
        return System.Text.Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }
}
