using Anneal.Engine.Architectures;
using Anneal.Engine.Data;

namespace Anneal.Engine.Tests.Data;

public sealed class BatchingTests
{
    [Fact]
    public void Each_epoch_sees_every_example_once_in_an_order_of_its_own()
    {
        Batches batches = new(23, 5, seed: 4);
        Assert.Equal(5, batches.StepsPerEpoch);
        int[][] epochs = [.. Enumerable.Range(0, 3).Select(e => Enumerable.Range(1, 5)
            .SelectMany(s => batches.Of((e * 5) + s).ToArray()).ToArray())];
        Assert.All(epochs, order => Assert.Equal(Enumerable.Range(0, 23), order.Order()));
        Assert.NotEqual(epochs[0], epochs[1]);
        Batches again = new(23, 5, seed: 4);
        Assert.Equal(epochs[2][20..], again.Of(15).ToArray());
        Assert.Equal(epochs[1][..5], again.Of(6).ToArray());
        Assert.NotEqual(epochs[0][..5], new Batches(23, 5, seed: 5).Of(1).ToArray());
    }

    [Fact]
    public void Packing_keeps_examples_whole_and_under_the_budget()
    {
        int[] lengths = [5, 9, 3, 9, 1, 4, 10, 2];
        Packing packing = new(10, 8);
        packing.Pack(lengths);
        int[] load = new int[packing.Count];
        for (int i = 0; i < lengths.Length; i++)
        {
            load[packing.BinOf(i)] += lengths[i];
        }

        Assert.Equal(43, load.Sum());
        Assert.Equal(5, packing.Count);
        Assert.All(load, n => Assert.InRange(n, 1, 10));
        Assert.Throws<ArgumentException>(() => packing.Pack([11]));
    }

    [Fact]
    public void A_micro_batch_holds_what_comes_before_the_last_trained_token_and_restarts_positions()
    {
        MicroBatch batch = new(16, 3);
        batch.AddExample(new TokenizedExample(1, [7, 8, 9, 10, 11], [0, 0, 1, 0.5f, 0], 5));
        batch.AddExample(new TokenizedExample(2, [3, 4, 5], [1, 0, 1], 9), ropeLength: 20);
        Assert.Equal([7, 8, 9, 3, 4], batch.Ids.ToArray());
        Assert.Equal([0, 3, 5], batch.Segments.ToArray());
        Assert.Equal([0, 0], batch.Starts.ToArray());
        Assert.Equal([5, 20], batch.Lengths.ToArray());
        Assert.Equal([1, 2, 4], batch.TrainedRows.ToArray());
        Assert.Equal([9, 10, 5], batch.Targets.ToArray());
        Assert.Equal([1f, 0.5f, 1f], batch.Weights.ToArray());
        batch.AddPrompt([1, 2], start: 6, length: 8);
        Assert.Equal([0, 0, 6], batch.Starts.ToArray());
        Assert.Equal(6, batch.TrainedRows[^1]);
        Assert.Throws<ArgumentException>(() => batch.AddPrompt([1], 0, 1));
        batch.Clear();
        Assert.Throws<ArgumentException>(() => batch.AddPrompt(new int[17], 0, 17));
    }

    [Fact]
    public void Dynamic_rope_lengths_follow_the_longest_example_until_a_short_one()
    {
        TokenizedExample Of(int length) => new(1, new int[length], new float[length], length);
        RopeConfig rope = new() { Kind = RopeKind.Dynamic, RotarySize = 4, Factor = 2, OriginalMaxPositions = 10 };
        List<TokenizedExample> examples = [Of(12), Of(30), Of(11), Of(9), Of(14)];
        Assert.Equal([12, 30, 30, 10, 14], RopeLengths.Of(rope, examples, repeated: false));
        Assert.Equal([14, 30, 30, 10, 14], RopeLengths.Of(rope, examples, repeated: true));
        Assert.Equal([12, 30, 11, 9, 14], RopeLengths.Of(rope with { Kind = RopeKind.Yarn }, examples, repeated: true));
    }
}
