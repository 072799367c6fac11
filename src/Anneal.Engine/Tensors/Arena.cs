using System.Runtime.InteropServices;

namespace Anneal.Engine.Tensors;

/// <summary>
/// One block of device memory, sized before the first step, from which tensors are carved one after the other. Nothing is
/// freed singly: <see cref="Reset"/> takes back everything after a mark, <see cref="Dispose"/> all of it.
/// </summary>
public sealed unsafe class Arena : IDisposable
{
    /// <summary>Alignment of every tensor, in bytes: one cache line, one 512-bit vector.</summary>
    public const int Alignment = 64;

    private void* _memory;
    private long _used;

    /// <summary>Reserves zeroed host memory.</summary>
    /// <exception cref="OutOfMemoryException">The system refuses; the message names the size.</exception>
    public Arena(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Capacity = RoundUp(bytes);
        _memory = NativeMemory.AlignedAlloc((nuint)Math.Max(Capacity, Alignment), Alignment);
        NativeMemory.Clear(_memory, (nuint)Math.Max(Capacity, Alignment));
    }

    /// <summary>Bytes in all.</summary>
    public long Capacity { get; }

    /// <summary>Bytes handed out: the mark for <see cref="Reset"/>.</summary>
    public long Used => _used;

    /// <summary>Bytes that <see cref="Allocate"/> takes for a tensor of this shape.</summary>
    public static long BytesFor(long rows, long columns, DType type) => RoundUp(rows * columns * type.SizeInBytes());

    /// <summary>Carves a tensor. Its contents are what was there before: zero at first, old values after <see cref="Reset"/>.</summary>
    /// <exception cref="InvalidOperationException">The plan was too small: a programmer's error, with both sizes.</exception>
    public Tensor Allocate(int rows, int columns, DType type = DType.F32)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        long bytes = BytesFor(rows, columns, type);
        if (_used + bytes > Capacity)
        {
            throw new InvalidOperationException(
                $"The arena of {Capacity} bytes has {Capacity - _used} left; {type}[{rows}, {columns}] needs {bytes}.");
        }

        Tensor tensor = new((nint)_memory + (nint)_used, rows, columns, type);
        _used += bytes;
        return tensor;
    }

    /// <summary>Takes back every tensor carved after <paramref name="mark"/> was read from <see cref="Used"/>.</summary>
    public void Reset(long mark = 0)
    {
        if (mark < 0 || mark > _used)
        {
            throw new ArgumentOutOfRangeException(nameof(mark), mark, $"The arena has used {_used} bytes.");
        }

        _used = mark;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Safety: _memory came from AlignedAlloc and is freed once; tensors carved from it are dead by contract.
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        _used = 0;
    }

    private static long RoundUp(long bytes) => (bytes + Alignment - 1) & -Alignment;
}
