using System.Runtime.InteropServices;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Kernels;

/// <summary>
/// A tensor whose last element touches a page that may not be read, and whose gaps and front border hold a pattern that
/// <see cref="AssertBordersIntact"/> looks for: a kernel that reads past its end crashes, one that writes past it is told of.
/// </summary>
internal sealed unsafe partial class GuardedTensor : IDisposable
{
    private const float Poison = -7.25e33f;
    private const int ProtectNone = 0;
    private const int ProtectReadWrite = 3;

    private readonly byte* _memory;
    private readonly nuint _bytes;
    private readonly float* _floats;
    private readonly int _front;

    public GuardedTensor(int rows, int columns, int gap = 0, int front = 5)
    {
        int page = Environment.SystemPageSize;
        _front = front;
        int stride = columns + gap;
        long count = front + ((long)rows * stride) - (rows > 0 ? gap : 0);
        _bytes = (nuint)(((count * sizeof(float)) + page - 1) / page * page) + (nuint)page;
        _memory = (byte*)NativeMemory.AlignedAlloc(_bytes, (nuint)page);
        byte* guard = _memory + _bytes - page;
        new Span<float>(_memory, (int)(guard - _memory) / sizeof(float)).Fill(Poison);
        _floats = (float*)guard - (count - front);
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal(0, Protect(guard, (nuint)page, ProtectNone));
        }

        // Even an empty tensor has an address, so that it is not mistaken for an absent one.
        Tensor = new Tensor((nint)_floats, rows, columns, DType.F32, stride);
    }

    public Tensor Tensor { get; }

    /// <summary>Row r, column c.</summary>
    public ref float this[int r, int c] => ref _floats[((long)r * Tensor.Stride) + c];

    /// <summary>Random numbers around zero.</summary>
    public static GuardedTensor Random(int rows, int columns, ulong seed, float scale = 1, int gap = 0)
    {
        GuardedTensor made = new(rows, columns, gap);
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++)
            {
                made[r, c] = scale * 2 * (Philox.UniformAt(seed, 1, (ulong)((r * (long)columns) + c)) - 0.5f);
            }
        }

        return made;
    }

    /// <summary>The same numbers at another place, with another gap between rows.</summary>
    public GuardedTensor Clone(int gap = 0)
    {
        GuardedTensor made = new(Tensor.Rows, Tensor.Columns, gap);
        for (int r = 0; r < Tensor.Rows; r++)
        {
            for (int c = 0; c < Tensor.Columns; c++)
            {
                made[r, c] = this[r, c];
            }
        }

        return made;
    }

    public float[] ToArray()
    {
        float[] values = new float[Tensor.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = this[i / Tensor.Columns, i % Tensor.Columns];
        }

        return values;
    }

    public void AssertBordersIntact()
    {
        for (int i = 1; i <= _front; i++)
        {
            Assert.True(_floats[-i] == Poison, $"{i} before the first element was overwritten with {_floats[-i]}");
        }

        for (int r = 0; r + 1 < Tensor.Rows; r++)
        {
            for (int c = Tensor.Columns; c < Tensor.Stride; c++)
            {
                Assert.True(this[r, c] == Poison, $"the gap after row {r} was overwritten with {this[r, c]}");
            }
        }
    }

    public void Dispose()
    {
        if (OperatingSystem.IsLinux())
        {
            int page = Environment.SystemPageSize;
            Assert.Equal(0, Protect(_memory + _bytes - page, (nuint)page, ProtectReadWrite));
        }

        NativeMemory.AlignedFree(_memory);
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);
}
