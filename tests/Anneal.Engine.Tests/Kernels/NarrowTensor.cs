using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Kernels;

/// <summary>A copy of a tensor in 16 bits an element, its end as far to the end of a guarded tensor's memory as its start allows.</summary>
internal sealed unsafe class NarrowTensor : IDisposable
{
    private readonly GuardedTensor _memory;

    public NarrowTensor(GuardedTensor source, DType type)
    {
        Tensor shape = source.Tensor;
        long count = shape.Length;

        // An odd count leaves two bytes before the guard page: the memory is cut from the front instead.
        _memory = new GuardedTensor(1, (int)((count + 1) / 2));
        nint start = _memory.Tensor.Address + (count % 2 == 1 ? sizeof(ushort) : 0);
        Tensor = new Tensor(start, shape.Rows, shape.Columns, type);
        ushort* bits = (ushort*)start;
        for (int i = 0; i < count; i++)
        {
            float value = source[i / shape.Columns, i % shape.Columns];
            bits[i] = type == DType.BF16 ? Bf16.FromSingle(value) : BitConverter.HalfToUInt16Bits((Half)value);
        }
    }

    public Tensor Tensor { get; }

    public void Dispose() => _memory.Dispose();
}
