using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Anneal.Engine.Compute;

/// <summary>
/// Threads that share the tasks of one kernel after the other. A kernel is a static function and a pointer to its arguments,
/// so handing it out allocates nothing.
/// </summary>
/// <remarks>
/// <para>Tasks are cut by shape alone and are independent of each other; which thread takes which one, first come first
/// served, is therefore without effect on any bit of the result, and a thread that the system holds up delays one task only.</para>
/// <para>A thread without work spins for a moment, since kernels follow each other closely in a step, and then sleeps:
/// an idle server burns nothing. With more threads than processors nobody spins.</para>
/// </remarks>
internal sealed unsafe class WorkerPool : IDisposable
{
    private const int SpinMicroseconds = 60;
    private const int CacheLine = 64;

    private readonly Thread[] _threads;
    private readonly object _gate = new();
    private readonly object _done = new();
    private readonly long _spinTicks;
    private readonly Scratch[] _scratch;
    private Board _board;
    private int _sleepers;
    private int _callerSleeps;
    private int _busy;
    private bool _stopping;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">Threads in all; the caller of <see cref="Run"/> is one of them.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        Threads = threads;
        _spinTicks = threads > Environment.ProcessorCount ? 0 : Stopwatch.Frequency * SpinMicroseconds / 1_000_000;
        _scratch = new Scratch[Slots];
        _threads = new Thread[threads - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"Anneal kernel {worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Buffers that a kernel may ask for.</summary>
    public const int Slots = 6;

    /// <summary>Threads in all.</summary>
    public int Threads { get; }

    /// <summary>Bytes held by scratch buffers.</summary>
    public long ScratchBytes
    {
        get
        {
            long sum = 0;
            foreach (Scratch scratch in _scratch)
            {
                sum += (long)scratch.Bytes;
            }

            return sum;
        }
    }

    /// <summary>
    /// Calls <paramref name="work"/>(context, task, worker) once for each task from 0 to <paramref name="tasks"/> − 1 and returns
    /// when all have returned. <c>worker</c>, below <see cref="Threads"/>, tells the threads apart. Tasks do not call this.
    /// </summary>
    public void Run(delegate*<void*, int, int, void> work, void* context, int tasks)
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException("Two threads use one device at the same time; it computes one verb at a time.");
        }

        if (tasks == 1 || Threads == 1)
        {
            for (int task = 0; task < tasks; task++)
            {
                work(context, task, 0);
            }
        }
        else if (tasks > 1)
        {
            Share(work, context, tasks);
        }

        Volatile.Write(ref _busy, 0);
    }

    /// <summary>
    /// A buffer for the kernel in hand, one of <see cref="Slots"/>: at least so many bytes, 64-byte aligned, contents undefined.
    /// Asked for by the caller of <see cref="Run"/> only, before the call.
    /// </summary>
    public void* Shared(int slot, long bytes) => _scratch[slot].AtLeast(bytes);

    /// <summary>A buffer of so many floats for each thread, in a slot of <see cref="Shared"/>: thread w's starts at w times the stride.</summary>
    public float* Private(int slot, int floats, out nint stride)
    {
        // A cache line between them, so that neighbours do not write to the same one.
        stride = (floats + (2 * CacheLine / sizeof(float)) - 1) / (CacheLine / sizeof(float)) * (CacheLine / sizeof(float));
        return (float*)Shared(slot, stride * Threads * sizeof(float));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Volatile.Write(ref _stopping, true);
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        for (int i = 0; i < _scratch.Length; i++)
        {
            _scratch[i].Free();
        }
    }

    private void Share(delegate*<void*, int, int, void> work, void* context, int tasks)
    {
        // Nobody can claim a task while the count on the ticket is 0, so the board may be rewritten now.
        _board.Work = work;
        _board.Context = context;
        _board.Tasks = tasks;
        _board.Finished = 0;
        long generation = (_board.Ticket >> 32) + 1;
        Interlocked.Exchange(ref _board.Ticket, (generation << 32) | (uint)tasks);
        if (Volatile.Read(ref _sleepers) > 0)
        {
            lock (_gate)
            {
                Monitor.PulseAll(_gate);
            }
        }

        Help(0);
        AwaitEnd(tasks);
    }

    /// <summary>Takes tasks until there are none left.</summary>
    private void Help(int worker)
    {
        while (true)
        {
            long ticket = Volatile.Read(ref _board.Ticket);
            int left = (int)ticket;
            if (left == 0)
            {
                return;
            }

            // Read before the claim, used after it: if the claim succeeds the ticket has not changed since, and the board
            // is only rewritten when every claimed task of its generation has finished.
            delegate*<void*, int, int, void> work = _board.Work;
            void* context = _board.Context;
            int tasks = _board.Tasks;
            if (Interlocked.CompareExchange(ref _board.Ticket, ticket - 1, ticket) != ticket)
            {
                continue;
            }

            work(context, tasks - left, worker);
            if (Interlocked.Increment(ref _board.Finished) == tasks && Volatile.Read(ref _callerSleeps) != 0)
            {
                lock (_done)
                {
                    Monitor.Pulse(_done);
                }
            }
        }
    }

    private void AwaitEnd(int tasks)
    {
        long start = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _board.Finished) != tasks)
        {
            if (Stopwatch.GetTimestamp() - start < _spinTicks)
            {
                Thread.SpinWait(8);
                continue;
            }

            lock (_done)
            {
                // The exchange orders "I sleep" before the last look; a thread that finishes looks in the other order.
                Interlocked.Exchange(ref _callerSleeps, 1);
                while (Volatile.Read(ref _board.Finished) != tasks)
                {
                    Monitor.Wait(_done);
                }

                Volatile.Write(ref _callerSleeps, 0);
            }
        }
    }

    private void Work(int worker)
    {
        long start = Stopwatch.GetTimestamp();
        while (!Volatile.Read(ref _stopping))
        {
            if ((int)Volatile.Read(ref _board.Ticket) != 0)
            {
                Help(worker);
                start = Stopwatch.GetTimestamp();
            }
            else if (Stopwatch.GetTimestamp() - start < _spinTicks)
            {
                Thread.SpinWait(8);
            }
            else
            {
                Sleep();
                start = Stopwatch.GetTimestamp();
            }
        }
    }

    private void Sleep()
    {
        lock (_gate)
        {
            Interlocked.Increment(ref _sleepers);
            while ((int)Volatile.Read(ref _board.Ticket) == 0 && !Volatile.Read(ref _stopping))
            {
                Monitor.Wait(_gate);
            }

            Interlocked.Decrement(ref _sleepers);
        }
    }

    /// <summary>The job in hand. The two counters that threads fight over have cache lines of their own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 4 * CacheLine)]
    private struct Board
    {
        [FieldOffset(CacheLine)]
        public delegate*<void*, int, int, void> Work;

        [FieldOffset(CacheLine + 8)]
        public void* Context;

        [FieldOffset(CacheLine + 16)]
        public int Tasks;

        /// <summary>Generation in the upper half, so that a claim on an old job cannot succeed; unclaimed tasks in the lower.</summary>
        [FieldOffset(2 * CacheLine)]
        public long Ticket;

        [FieldOffset(3 * CacheLine)]
        public int Finished;
    }

    private struct Scratch
    {
        public void* Memory;
        public nuint Bytes;

        public void* AtLeast(long bytes)
        {
            if ((nuint)bytes > Bytes)
            {
                Free();
                Memory = NativeMemory.AlignedAlloc((nuint)bytes, CacheLine);
                Bytes = (nuint)bytes;
            }

            return Memory;
        }

        public void Free()
        {
            // Safety: allocated above, freed once, and no task is running when the owner asks for more.
            NativeMemory.AlignedFree(Memory);
            Memory = null;
            Bytes = 0;
        }
    }
}
