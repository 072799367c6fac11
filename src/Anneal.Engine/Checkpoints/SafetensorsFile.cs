using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Checkpoints;

/// <summary>
/// One safetensors file, memory-mapped: tensors point into the file's pages, which every process that maps the file shares
/// and which the system may drop and read again.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly Dictionary<string, SafetensorsEntry> _entries;
    private readonly Dictionary<string, string> _metadata;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _start;

    private SafetensorsFile(string path, MemoryMappedFile map, MemoryMappedViewAccessor view, long regionBytes)
    {
        Path = path;
        _map = map;
        _view = view;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += view.PointerOffset;

        // Safety: the view covers regionBytes bytes from _start, and the checks below keep the header inside them.
        ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(_start, SafetensorsHeader.PrefixBytes));
        if (headerBytes is < 2 or > SafetensorsHeader.HeaderBytesMax
            || (long)headerBytes > regionBytes - SafetensorsHeader.PrefixBytes)
        {
            throw SafetensorsHeader.Fault(
                path,
                $"the header claims {headerBytes} bytes; the file has {regionBytes} in all and "
                + $"{SafetensorsHeader.HeaderBytesMax} is the limit (is the file cut short, or not safetensors?)");
        }

        byte[] header = new ReadOnlySpan<byte>(_start + SafetensorsHeader.PrefixBytes, (int)headerBytes).ToArray();
        (_entries, _metadata) = SafetensorsHeader.Parse(path, regionBytes, header);
    }

    /// <summary>Where the file lies.</summary>
    public string Path { get; }

    /// <summary>What the file says of itself.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <summary>Maps a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <param name="trailingBytes">Bytes at the end of the file that are not part of the format.</param>
    /// <exception cref="InvalidDataException">The file and what is wrong with it: truncated, hostile, not safetensors.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static SafetensorsFile Open(string path, int trailingBytes = 0)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
        long regionBytes = stream.Length - trailingBytes;
        if (regionBytes < SafetensorsHeader.PrefixBytes + 2)
        {
            throw SafetensorsHeader.Fault(path, $"{stream.Length} bytes are too few for a safetensors file");
        }

        MemoryMappedFile? map = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
#pragma warning disable CA2000 // Both are disposed below on failure, and belong to the new object otherwise.
            map = MemoryMappedFile.CreateFromFile(
                stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
#pragma warning restore CA2000
            view = map.CreateViewAccessor(0, regionBytes, MemoryMappedFileAccess.Read);
            return new SafetensorsFile(path, map, view, regionBytes);
        }
        catch
        {
            view?.Dispose();
            map?.Dispose();
            throw;
        }
    }

    /// <summary>A tensor of one or two dimensions as a view into the mapped file; a vector is one row.</summary>
    /// <exception cref="InvalidDataException">No such tensor, a type the engine does not compute with, or another rank.</exception>
    public Tensor Get(string name)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        if (!_entries.TryGetValue(name, out SafetensorsEntry? entry))
        {
            throw SafetensorsHeader.Fault(Path, $"tensor '{name}' is missing");
        }

        DType type = entry.Type
            ?? throw SafetensorsHeader.Fault(Path, $"tensor '{name}' is {entry.StoredType}; F32, F16 and BF16 are supported");
        (long rows, long columns) = entry.Shape.Count switch
        {
            1 => (1L, entry.Shape[0]),
            2 => (entry.Shape[0], entry.Shape[1]),
            _ => throw SafetensorsHeader.Fault(Path, $"tensor '{name}' has {entry.Shape.Count} dimensions; 1 or 2 are supported"),
        };
        if (rows > int.MaxValue || columns > int.MaxValue)
        {
            throw SafetensorsHeader.Fault(Path, $"tensor '{name}' has a dimension above {int.MaxValue}");
        }

        // Safety: Parse checked that offset and bytes lie in the region and that bytes = rows · columns · size.
        return new Tensor((nint)(_start + entry.Offset), (int)rows, (int)columns, type);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_start is not null)
        {
            _start = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _view.Dispose();
        _map.Dispose();
    }
}
