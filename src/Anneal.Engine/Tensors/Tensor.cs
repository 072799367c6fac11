using System.Diagnostics;

namespace Anneal.Engine.Tensors;

/// <summary>
/// A row-major matrix in a device's memory: an address, a shape, and how far apart the rows are. It owns nothing: the
/// <c>Arena</c> or the memory-mapped file that it points into does. A vector is a matrix of one row.
/// </summary>
/// <remarks>
/// Only the <c>ICompute</c> that made the memory may follow the address; everything above that seam treats it as opaque.
/// </remarks>
public readonly unsafe struct Tensor
{
    /// <summary>Describes memory at <paramref name="address"/> as a matrix.</summary>
    /// <param name="address">First element; 64-byte aligned for memory made by an arena.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Number of elements in a row.</param>
    /// <param name="type">Storage of one element.</param>
    /// <param name="stride">Elements from one row's start to the next; 0 means <paramref name="columns"/>.</param>
    public Tensor(nint address, int rows, int columns, DType type, int stride = 0)
    {
        Debug.Assert(rows >= 0 && columns >= 0 && (stride == 0 || stride >= columns), "A row cannot overlap the next.");
        Address = address;
        Rows = rows;
        Columns = columns;
        Type = type;
        Stride = stride == 0 ? columns : stride;
    }

    /// <summary>Address of the first element; 0 for <see cref="None"/>.</summary>
    public nint Address { get; }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of elements in a row.</summary>
    public int Columns { get; }

    /// <summary>Elements from the start of one row to the start of the next.</summary>
    public int Stride { get; }

    /// <summary>Storage of one element.</summary>
    public DType Type { get; }

    /// <summary>The absent tensor: a bias that a layer does not have, a gradient that nobody wants.</summary>
    public static Tensor None => default;

    /// <summary>Whether this is <see cref="None"/>.</summary>
    public bool IsNone => Address == 0;

    /// <summary>Whether rows follow each other without a gap.</summary>
    public bool IsContiguous => Stride == Columns || Rows <= 1;

    /// <summary>Number of elements.</summary>
    public long Length => (long)Rows * Columns;

    /// <summary>The rows <paramref name="start"/> … <paramref name="start"/> + <paramref name="count"/> − 1, as a view.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie inside the tensor.</exception>
    public Tensor SliceRows(int start, int count)
    {
        if ((uint)start > (uint)Rows || (uint)count > (uint)(Rows - start))
        {
            throw new ArgumentOutOfRangeException(nameof(start), $"Rows {start}..{start + count} of {Rows}.");
        }

        return new Tensor(Address + (nint)((long)start * Stride * Type.SizeInBytes()), count, Columns, Type, Stride);
    }

    /// <summary>The columns <paramref name="start"/> … <paramref name="start"/> + <paramref name="count"/> − 1, as a view.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie inside the tensor.</exception>
    public Tensor SliceColumns(int start, int count)
    {
        if ((uint)start > (uint)Columns || (uint)count > (uint)(Columns - start))
        {
            throw new ArgumentOutOfRangeException(nameof(start), $"Columns {start}..{start + count} of {Columns}.");
        }

        return new Tensor(Address + (start * Type.SizeInBytes()), Rows, count, Type, Stride);
    }

    /// <summary>The same contiguous elements under another shape, as a view.</summary>
    /// <exception cref="ArgumentException">The tensor has gaps, or the number of elements differs.</exception>
    public Tensor Reshape(int rows, int columns)
    {
        if (!IsContiguous || (long)rows * columns != Length)
        {
            throw new ArgumentException($"{ToString()} cannot be seen as [{rows}, {columns}].");
        }

        return new Tensor(Address, rows, columns, Type);
    }

    /// <summary>The elements as a span. For memory of the host only.</summary>
    /// <exception cref="InvalidOperationException">The tensor has gaps, or does not hold <typeparamref name="T"/>.</exception>
    public Span<T> AsSpan<T>()
        where T : unmanaged
    {
        if (!IsContiguous || sizeof(T) != Type.SizeInBytes())
        {
            throw new InvalidOperationException($"{ToString()} is not a run of {typeof(T).Name}.");
        }

        // Safety: the owner allocated Rows × Columns elements of Type at Address, and the check above fixes their size.
        return new Span<T>((void*)Address, checked((int)Length));
    }

    /// <inheritdoc/>
    public override string ToString() => IsNone ? "none" : $"{Type}[{Rows}, {Columns}]";
}
