using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>
/// A product c[M,N] = alpha · a[M,K] · b[K,N] (+ c) in the terms that packing and tiles need: where elements lie.
/// </summary>
internal unsafe struct Product
{
    public int M;
    public int N;
    public int K;

    /// <summary>Element [i, p] lies at A[i · ARow + p · AStep].</summary>
    public float* A;
    public nint ARow;
    public nint AStep;

    /// <summary>Element [p, j] lies at p · BRow + j, or at j · BRow + p when <see cref="BTransposed"/>.</summary>
    public void* B;
    public nint BRow;
    public bool BTransposed;
    public DType BType;

    public float* C;
    public nint CRow;
    public float Alpha;
    public bool Accumulate;

    /// <summary>The product behind <see cref="ICompute.MatMul"/>; shapes were checked.</summary>
    public static Product From(Tensor y, Tensor x, Tensor w, MatMulLayout layout, float alpha, bool accumulate)
    {
        bool transposed = layout == MatMulLayout.TN;
        return new Product
        {
            M = y.Rows,
            N = y.Columns,
            K = transposed ? x.Rows : x.Columns,
            A = (float*)x.Address,
            ARow = transposed ? 1 : x.Stride,
            AStep = transposed ? x.Stride : 1,
            B = (void*)w.Address,
            BRow = w.Stride,
            BTransposed = layout == MatMulLayout.NT,
            BType = w.Type,
            C = (float*)y.Address,
            CRow = y.Stride,
            Alpha = alpha,
            Accumulate = accumulate,
        };
    }
}

/// <summary>
/// Matrix products after Goto and van de Geijn (2008): the second operand is packed, a block of <c>TileDepth</c> rows at a
/// time, into panels two vectors wide that stream through the first-level cache, while a block of rows of the first operand
/// stays in the second-level one. The first operand is read where it lies when its depth is contiguous (a broadcast needs no
/// packing), and packed otherwise.
/// </summary>
/// <remarks>
/// An element's terms are added in the order of the depth, whatever the number of threads. Napkin: packing costs one read and
/// one write for 2·M operations, about 1 % at M = 1024.
/// </remarks>
internal static unsafe class Gemm
{
    /// <summary>Columns packed at a time: 3072 × 384 floats are 4.7 MB, a share of the third-level cache.</summary>
    private const int ColumnBlock = 3072;

    /// <summary>Rows packed at a time, of a first operand that needs it.</summary>
    private const int RowBlock = 3072;

    /// <summary>Tiles of rows of one task: their depth stays in the second-level cache while panels go by.</summary>
    private const int TaskTiles = 8;

    private const int PanelsPerPackTask = 4;

    /// <summary>Tiles of a strided first operand that are packed together: 16 of 6 rows are six cache lines of each source row.</summary>
    private const int TilesPerPackTask = 16;

    /// <summary>Computes the product with all threads.</summary>
    public static void Multiply<TSimd, TVec>(WorkerPool pool, in Product product)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (product.M == 0 || product.N == 0)
        {
            return;
        }

        if (product.M <= Gemv.RowsMost && product.BTransposed)
        {
            Gemv.Multiply<TSimd, TVec>(pool, product);
            return;
        }

        int panel = 2 * TSimd.Width;
        int depthBlocks = Math.Max(1, Divide(product.K, TSimd.TileDepth));
        int depth = Math.Max(1, Divide(product.K, depthBlocks));
        int columns = Balanced(product.N, ColumnBlock, panel);
        bool packA = NeedsPacking(product, panel);
        int rows = packA ? Balanced(product.M, RowBlock, TSimd.TileRows) : product.M;

        Blocks blocks = new()
        {
            Product = product,
            PackedB = (float*)pool.Shared(0, (long)columns * depth * sizeof(float)),
            PackedA = packA ? (float*)pool.Shared(1, (long)rows * depth * sizeof(float)) : null,
        };
        for (int column = 0; column < product.N; column += columns)
        {
            blocks.Column = column;
            blocks.Columns = Math.Min(columns, product.N - column);
            for (int start = 0; start == 0 || start < product.K; start += depth)
            {
                blocks.Start = start;
                blocks.Depth = Math.Min(depth, product.K - start);
                for (int row = 0; row < product.M; row += rows)
                {
                    blocks.Row = row;
                    blocks.Rows = Math.Min(rows, product.M - row);
                    MultiplyBlock<TSimd, TVec>(pool, ref blocks);
                }
            }
        }
    }

    /// <summary>
    /// Whether the first operand is copied first: when its depth is strided, and when its rows lie a multiple of half a page
    /// apart, so that the rows of a tile would fight for the same few sets of the caches; unless too few columns follow to repay it.
    /// </summary>
    private static bool NeedsPacking(in Product product, int panel) =>
        product.AStep != 1 || (product.ARow * sizeof(float) % 2048 == 0 && product.N > 4 * panel && product.M > 1);

    /// <summary>Packs what a block needs, then computes it.</summary>
    private static void MultiplyBlock<TSimd, TVec>(WorkerPool pool, ref Blocks blocks)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        blocks.PackTasksB = blocks.Row == 0 ? Divide(blocks.Columns, 2 * TSimd.Width * PanelsPerPackTask) : 0;
        int packTasksA = blocks.PackedA != null ? Divide(blocks.Rows, TSimd.TileRows * TilesPerPackTask) : 0;
        int rowTasks = Divide(blocks.Rows, TSimd.TileRows * TaskTiles);

        // Few rows: columns are shared out as well, so that every thread has several tasks. This moves no element to
        // another order of additions.
        int panels = Divide(blocks.Columns, 2 * TSimd.Width);
        blocks.ColumnTasks = Math.Clamp(Divide(8 * pool.Threads, rowTasks), 1, panels);
        fixed (Blocks* pinned = &blocks)
        {
            // Safety: `blocks` outlives both calls, which return when every task has.
            pool.Run(&PackTask<TSimd, TVec>, pinned, blocks.PackTasksB + packTasksA);
            pool.Run(&MultiplyTask<TSimd, TVec>, pinned, rowTasks * blocks.ColumnTasks);
        }
    }

    private static void PackTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Blocks* blocks = (Blocks*)context;
        Product* product = &blocks->Product;
        if (task < blocks->PackTasksB)
        {
            int width = 2 * TSimd.Width * PanelsPerPackTask;
            int first = task * width;
            int count = Math.Min(width, blocks->Columns - first);
            Packing.Columns<TSimd, TVec>(
                *product, blocks->Column + first, count, blocks->Start, blocks->Depth,
                blocks->PackedB + ((nint)first * blocks->Depth));
        }
        else
        {
            int height = TSimd.TileRows * TilesPerPackTask;
            int first = (task - blocks->PackTasksB) * height;
            int count = Math.Min(height, blocks->Rows - first);
            float* source = product->A + ((blocks->Row + first) * product->ARow) + (blocks->Start * product->AStep);
            float* target = blocks->PackedA + ((nint)first * blocks->Depth);
            if (product->AStep == 1)
            {
                Packing.CopyRows(source, product->ARow, count, blocks->Depth, target);
            }
            else
            {
                Packing.Rows(source, product->AStep, count, blocks->Depth, TSimd.TileRows, target);
            }
        }
    }

    private static void MultiplyTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Blocks* blocks = (Blocks*)context;
        int height = TSimd.TileRows * TaskTiles;
        int row = task / blocks->ColumnTasks * height;
        int rows = Math.Min(height, blocks->Rows - row);
        int panels = Divide(blocks->Columns, 2 * TSimd.Width);
        int part = task % blocks->ColumnTasks;
        int firstPanel = (int)((long)panels * part / blocks->ColumnTasks);
        int endPanel = (int)((long)panels * (part + 1) / blocks->ColumnTasks);
        for (int p = firstPanel; p < endPanel; p++)
        {
            MultiplyPanel<TSimd, TVec>(blocks, row, rows, p * 2 * TSimd.Width);
        }
    }

    /// <summary>One panel of columns times the rows of a task.</summary>
    private static void MultiplyPanel<TSimd, TVec>(Blocks* blocks, int row, int rows, int column)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Product* product = &blocks->Product;
        int depth = blocks->Depth;
        int width = Math.Min(2 * TSimd.Width, blocks->Columns - column);
        float* b = blocks->PackedB + ((nint)column * depth);
        bool accumulate = product->Accumulate || blocks->Start > 0;
        float* c = product->C + ((blocks->Row + row) * product->CRow) + blocks->Column + column;
        for (int i = 0; i < rows; i += TSimd.TileRows)
        {
            int height = Math.Min(TSimd.TileRows, rows - i);
            float* a;
            nint aRow, aStep;
            int aRows;
            if (blocks->PackedA != null && product->AStep == 1)
            {
                a = blocks->PackedA + ((nint)(row + i) * depth);
                (aRow, aStep, aRows) = (depth, 1, height);
            }
            else if (blocks->PackedA != null)
            {
                // Packed rows are padded with zeros to whole tiles.
                a = blocks->PackedA + ((nint)(row + i) * depth);
                (aRow, aStep, aRows) = (1, TSimd.TileRows, TSimd.TileRows);
            }
            else
            {
                a = product->A + ((blocks->Row + row + i) * product->ARow) + blocks->Start;
                (aRow, aStep, aRows) = (product->ARow, 1, height);
            }

            float* target = c + (i * product->CRow);
            AnyTile<TSimd, TVec>(
                depth, a, aRow, aStep, aRows, b, target, product->CRow, product->Alpha, accumulate, height, width);
        }
    }

    /// <summary>A tile of which <paramref name="height"/> rows and <paramref name="width"/> columns exist; the rest as <see cref="Tile.Multiply"/>.</summary>
    [MethodImpl(SimdOptions.Inline)]
    internal static void AnyTile<TSimd, TVec>(
        int depth, float* a, nint aRow, nint aStep, int aRows, float* b, float* c, nint cRow, float alpha, bool accumulate,
        int height, int width)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (height == TSimd.TileRows && width == 2 * TSimd.Width)
        {
            Tile.Multiply<TSimd, TVec>(depth, a, aRow, aStep, aRows, b, c, cRow, alpha, accumulate);
        }
        else
        {
            Edge<TSimd, TVec>(depth, a, aRow, aStep, aRows, b, c, cRow, alpha, accumulate, height, width);
        }
    }

    /// <summary>A tile that is not whole: computed aside, then the part that exists is stored.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Edge<TSimd, TVec>(
        int depth, float* a, nint aRow, nint aStep, int aRows, float* b, float* c, nint cRow, float alpha, bool accumulate,
        int height, int width)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        const int largest = 12 * 2 * 16;
        float* aside = stackalloc float[largest];
        int stride = 2 * TSimd.Width;
        for (int i = 0; i < height; i++)
        {
            for (int j = 0; j < width; j++)
            {
                aside[(i * stride) + j] = accumulate ? c[(i * cRow) + j] : 0;
            }
        }

        Tile.Multiply<TSimd, TVec>(depth, a, aRow, aStep, aRows, b, aside, stride, alpha, accumulate);
        for (int i = 0; i < height; i++)
        {
            for (int j = 0; j < width; j++)
            {
                c[(i * cRow) + j] = aside[(i * stride) + j];
            }
        }
    }

    internal static int Divide(int count, int size) => (count + size - 1) / size;

    /// <summary>A block size of at most <paramref name="most"/> that cuts <paramref name="count"/> evenly, in whole units.</summary>
    private static int Balanced(int count, int most, int unit) =>
        Divide(Divide(count, Divide(count, most)), unit) * unit;

    /// <summary>The block in hand.</summary>
    private struct Blocks
    {
        public Product Product;
        public float* PackedA;
        public float* PackedB;
        public int Column;
        public int Columns;
        public int Row;
        public int Rows;
        public int Start;
        public int Depth;
        public int PackTasksB;
        public int ColumnTasks;
    }
}
