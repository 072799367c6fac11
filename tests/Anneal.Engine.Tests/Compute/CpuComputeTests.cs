using System.Diagnostics;
using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;
using Anneal.Engine.Tests.Kernels;

namespace Anneal.Engine.Tests.Compute;

/// <summary>Tests that measure the whole process run while no other does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}

/// <summary>What holds for every verb: no allocation, the same bits every time, no work when idle.</summary>
[Collection(AloneCollection.Name)]
public sealed class CpuComputeTests
{
    public static TheoryData<InstructionSet, int> All => Twins.All();

    [Theory]
    [MemberData(nameof(All))]
    public void No_verb_allocates_on_the_managed_heap_after_its_first_call(InstructionSet set, int threads)
    {
        using CpuCompute compute = new(new ComputeOptions { InstructionSet = set, Threads = threads });
        using EveryVerb verbs = new(compute, 3);
        verbs.Run();
        verbs.Run();
        long total = long.MaxValue;
        long own = long.MaxValue;

        // The runtime's own threads may allocate at any time: the least of several attempts is what the verbs do.
        for (int attempt = 0; attempt < 5 && (total > 0 || own > 0); attempt++)
        {
            long totalBefore = GC.GetTotalAllocatedBytes(precise: true);
            long ownBefore = GC.GetAllocatedBytesForCurrentThread();
            verbs.Run();
            own = GC.GetAllocatedBytesForCurrentThread() - ownBefore;
            total = GC.GetTotalAllocatedBytes(precise: true) - totalBefore;
        }

        Assert.Equal((0, 0), (own, total));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_verb_gives_the_same_bits_in_two_runs_and_with_other_threads(InstructionSet set, int threads)
    {
        float[] first = Results(set, threads);
        Assert.All(first, value => Assert.True(float.IsFinite(value)));
        Assert.Equal(first, Results(set, threads));
        Assert.Equal(first, Results(set, threads + 1));

        static float[] Results(InstructionSet set, int threads)
        {
            using CpuCompute compute = new(new ComputeOptions { InstructionSet = set, Threads = threads });
            using EveryVerb verbs = new(compute, 3);
            verbs.Run();
            verbs.Run();
            return verbs.Results();
        }
    }

    [Fact]
    public void An_idle_device_uses_no_processor_time()
    {
        using CpuCompute compute = new(new ComputeOptions { Threads = Environment.ProcessorCount });
        using EveryVerb verbs = new(compute, 1);
        verbs.Run();
        using ManualResetEventSlim never = new();
        never.Wait(200);
        double least = double.MaxValue;
        using Process self = Process.GetCurrentProcess();
        for (int attempt = 0; attempt < 60 && least >= 60; attempt++)
        {
            self.Refresh();
            double before = self.TotalProcessorTime.TotalMilliseconds;
            never.Wait(300);
            self.Refresh();
            least = Math.Min(least, self.TotalProcessorTime.TotalMilliseconds - before);
        }

        // One spinning thread alone would use 300 ms in every attempt. The runtime's own compilation, which other tests left
        // it to do, ends at some time.
        Assert.True(least < 60, $"{least} ms of processor time in 300 ms");
    }

    [Fact]
    public void More_threads_than_processors_finish_their_work()
    {
        using CpuCompute compute = new(new ComputeOptions { Threads = (4 * Environment.ProcessorCount) + 1 });
        using GuardedTensor x = new(1, 200_000);
        for (int i = 1; i <= 300; i++)
        {
            compute.Fill(x.Tensor, i);
            Assert.Equal(200_000.0 * i * i, compute.SumOfSquares(x.Tensor));
        }
    }

    [Fact]
    public void Two_callers_at_once_are_told_so()
    {
        using CpuCompute compute = new(new ComputeOptions { Threads = 2 });
        using GuardedTensor x = new(2000, 500);
        int refused = 0;
        Thread other = new(() =>
        {
            for (int i = 0; i < 20_000 && Volatile.Read(ref refused) == 0; i++)
            {
                Attempt();
            }
        });
        other.Start();
        for (int i = 0; i < 20_000 && Volatile.Read(ref refused) == 0; i++)
        {
            Attempt();
        }

        other.Join();
        Assert.True(refused > 0);

        void Attempt()
        {
            try
            {
                compute.Fill(x.Tensor, 1);
            }
            catch (InvalidOperationException e)
            {
                Assert.Contains("one verb at a time", e.Message, StringComparison.Ordinal);
                Interlocked.Increment(ref refused);
            }
        }
    }

    [Fact]
    public void An_unknown_word_for_the_instruction_set_is_refused_with_the_known_ones()
    {
        string? kept = Environment.GetEnvironmentVariable(InstructionSets.Variable);
        try
        {
            Environment.SetEnvironmentVariable(InstructionSets.Variable, "mmx");
            ArgumentException e = Assert.Throws<ArgumentException>(() => new CpuCompute());
            Assert.Contains("scalar, vector128, vector256, vector512", e.Message, StringComparison.Ordinal);
            Environment.SetEnvironmentVariable(InstructionSets.Variable, "vector128");
            using CpuCompute forced = new();
            Assert.Equal(InstructionSet.Vector128, forced.InstructionSet);
        }
        finally
        {
            Environment.SetEnvironmentVariable(InstructionSets.Variable, kept);
        }
    }
}
