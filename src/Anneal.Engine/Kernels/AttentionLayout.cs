using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>
/// What the tasks of attention share: where tensors lie, how segments and heads become tasks, and where the packed keys and
/// values of a segment begin.
/// </summary>
internal unsafe struct AttentionLayout
{
    /// <summary>Queries of a task.</summary>
    public const int QueryBlock = 96;

    /// <summary>Keys that a task looks at together: scores of a block fit in the second-level cache with what they meet.</summary>
    public const int KeyBlock = 64;

    public AttentionShape Shape;
    public int* Segments;
    public int SegmentCount;
    public int Group;
    public float* Q;
    public nint QRow;
    public float* K;
    public nint KRow;
    public float* V;
    public nint VRow;
    public int Tokens;

    /// <summary>Floats between panels' columns: two vectors.</summary>
    public int Panel;

    /// <summary>The head's size filled up to whole panels.</summary>
    public int PaddedHead;

    /// <summary>Tokens, each segment filled up to whole panels and then some.</summary>
    public nint PaddedTokens;

    public static AttentionLayout Create<TSimd, TVec>(
        Tensor q, Tensor k, Tensor v, int* segments, int offsets, in AttentionShape shape)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int panel = 2 * TSimd.Width;
        return new AttentionLayout
        {
            Shape = shape,
            Segments = segments,
            SegmentCount = offsets - 1,
            Group = shape.Heads / shape.KeyValueHeads,
            Q = (float*)q.Address,
            QRow = q.Stride,
            K = (float*)k.Address,
            KRow = k.Stride,
            V = (float*)v.Address,
            VRow = v.Stride,
            Tokens = q.Rows,
            Panel = panel,
            PaddedHead = Gemm.Divide(shape.HeadSize, panel) * panel,
            PaddedTokens = q.Rows + ((nint)(offsets - 1) * panel),
        };
    }

    /// <summary>Bytes of one packed copy of all keys or values, in either order.</summary>
    public readonly long PackedBytes => (long)PaddedTokens * PaddedHead * Shape.KeyValueHeads * sizeof(float);

    /// <summary>Start of a segment's packed keys or values of one head.</summary>
    public readonly float* Packed(float* start, int segment, int keyHead) =>
        start + (((keyHead * PaddedTokens) + Segments[segment] + ((nint)segment * Panel)) * PaddedHead);

    /// <summary>Packs a segment's head so that keys are columns: panel j holds keys j·Panel …, each row one element of the head.</summary>
    public readonly void PackAcross<TSimd, TVec>(float* source, nint row, int segment, int keyHead, float* destination)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int first = Segments[segment];
        Product product = new()
        {
            B = source + (first * row) + (keyHead * Shape.HeadSize), BRow = row, BTransposed = true, BType = DType.F32,
        };
        Packing.Columns<TSimd, TVec>(
            product, 0, Segments[segment + 1] - first, 0, Shape.HeadSize, Packed(destination, segment, keyHead));
    }

    /// <summary>Packs a segment's head as it lies: panel j holds elements j·Panel … of the head, each row one key.</summary>
    public readonly void PackAlong<TSimd, TVec>(float* source, nint row, int segment, int keyHead, float* destination)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int first = Segments[segment];
        Product product = new()
        {
            B = source + (first * row) + (keyHead * Shape.HeadSize), BRow = row, BType = DType.F32,
        };
        Packing.Columns<TSimd, TVec>(
            product, 0, Shape.HeadSize, 0, Segments[segment + 1] - first, Packed(destination, segment, keyHead));
    }

    /// <summary>First key that any query from <paramref name="query"/> on sees, rounded down to a panel.</summary>
    public readonly int FirstKey(int query) =>
        Shape.Window == 0 ? 0 : Math.Max(0, query - Shape.Window + 1) / Panel * Panel;

    /// <summary>Tasks when each takes one head and a block of queries of one segment.</summary>
    public readonly int QueryTasks()
    {
        int tasks = 0;
        for (int s = 0; s < SegmentCount; s++)
        {
            tasks += Gemm.Divide(Segments[s + 1] - Segments[s], QueryBlock) * Shape.Heads;
        }

        return tasks;
    }

    /// <summary>What a task of <see cref="QueryTasks"/> is. Late blocks, which see the most keys, come first in a segment.</summary>
    public readonly void FindQueryTask(int task, out int segment, out int head, out int block)
    {
        for (segment = 0; ; segment++)
        {
            int blocks = Gemm.Divide(Segments[segment + 1] - Segments[segment], QueryBlock);
            if (task < blocks * Shape.Heads)
            {
                head = task % Shape.Heads;
                block = blocks - 1 - (task / Shape.Heads);
                return;
            }

            task -= blocks * Shape.Heads;
        }
    }

    /// <summary>
    /// Scores of a block: s[i, j] = alpha · Σ_d a[i, d] · b[j, d], b packed across, without the tiles that lie wholly above the
    /// diagonal. Rows up to a whole tile are written; the last repeats.
    /// </summary>
    /// <param name="s">Result, <see cref="KeyBlock"/> floats a row.</param>
    /// <param name="a">First query's head.</param>
    /// <param name="aRow">Floats between queries.</param>
    /// <param name="packed">Segment's packed operand.</param>
    /// <param name="query">First query, counted from the segment's start.</param>
    /// <param name="queries">Number of queries.</param>
    /// <param name="key">First key; at a panel's start.</param>
    /// <param name="keys">Number of keys.</param>
    /// <param name="alpha">Factor.</param>
    public readonly void Scores<TSimd, TVec>(
        float* s, float* a, nint aRow, float* packed, int query, int queries, int key, int keys, float alpha)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        for (int j = 0; j < keys; j += Panel)
        {
            float* b = packed + ((nint)(key + j) * Shape.HeadSize);
            for (int i = 0; i < queries; i += TSimd.TileRows)
            {
                if (query + i + TSimd.TileRows > key + j)
                {
                    Tile.Multiply<TSimd, TVec>(
                        Shape.HeadSize, a + (i * aRow), aRow, 1, Math.Min(TSimd.TileRows, queries - i), b,
                        s + (i * KeyBlock) + j, KeyBlock, alpha, accumulate: false);
                }
            }
        }
    }
}
