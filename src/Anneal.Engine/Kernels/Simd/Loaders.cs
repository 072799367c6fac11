using System.Runtime.CompilerServices;

namespace Anneal.Engine.Kernels.Simd;

/// <summary>How stored numbers become a vector of floats: one copy of a kernel for each storage type.</summary>
internal unsafe interface ILoader
{
    /// <summary>Bytes of a stored number.</summary>
    static abstract int Size { get; }

    static abstract TVec Load<TSimd, TVec>(void* source, nint index)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;
}

/// <summary>Floats.</summary>
internal readonly unsafe struct F32Loader : ILoader
{
    public static int Size => sizeof(float);

    [MethodImpl(SimdOptions.Inline)]
    public static TVec Load<TSimd, TVec>(void* source, nint index)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Load((float*)source + index);
}

/// <summary>bfloat16.</summary>
internal readonly unsafe struct Bf16Loader : ILoader
{
    public static int Size => sizeof(ushort);

    [MethodImpl(SimdOptions.Inline)]
    public static TVec Load<TSimd, TVec>(void* source, nint index)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.LoadBf16((ushort*)source + index);
}

/// <summary>binary16.</summary>
internal readonly unsafe struct F16Loader : ILoader
{
    public static int Size => sizeof(ushort);

    [MethodImpl(SimdOptions.Inline)]
    public static TVec Load<TSimd, TVec>(void* source, nint index)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.LoadF16((ushort*)source + index);
}
