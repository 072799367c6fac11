namespace Anneal.Engine.Tensors;

/// <summary>How the elements of a <see cref="Tensor"/> are stored.</summary>
public enum DType
{
    /// <summary>IEEE 754 binary32, 4 bytes.</summary>
    F32,

    /// <summary>bfloat16, 2 bytes: the upper half of a binary32, rounded to nearest even when written.</summary>
    BF16,

    /// <summary>IEEE 754 binary16, 2 bytes.</summary>
    F16,

    /// <summary>Signed 32-bit integer, 4 bytes.</summary>
    I32,
}

/// <summary>Facts about <see cref="DType"/>.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int SizeInBytes(this DType type) => type switch
    {
        DType.F32 or DType.I32 => 4,
        DType.BF16 or DType.F16 => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a storage type."),
    };
}
