using Anneal.Engine.Generation;

namespace Anneal.Engine.Tests.Generation;

public sealed class StopStringsTests
{
    [Fact]
    public void A_stop_string_across_pieces_never_comes_out()
    {
        StopStrings stops = new(["END"]);
        Assert.Equal("a", stops.Push("aE"));
        Assert.Equal("", stops.Push("N"));
        Assert.False(stops.Stopped);
        Assert.Equal("", stops.Push("D and more"));
        Assert.True(stops.Stopped);
        Assert.Equal("", stops.Push("ignored"));
        Assert.Equal("", stops.Flush());
    }

    [Fact]
    public void A_false_start_comes_out_when_it_fails_or_the_text_ends()
    {
        StopStrings stops = new(["abc", "bd"]);
        Assert.Equal("x", stops.Push("xab"));
        Assert.Equal("abe", stops.Push("e"));
        Assert.Equal("", stops.Push("ab"));
        Assert.Equal("ab", stops.Flush());
    }

    [Fact]
    public void The_earliest_of_several_stop_strings_wins()
    {
        StopStrings stops = new(["late", "y"]);
        Assert.Equal("x", stops.Push("xylate"));
        Assert.True(stops.Stopped);
    }

    [Fact]
    public void However_the_text_is_cut_the_result_is_the_same()
    {
        const string Text = "one aab two aaab three";
        for (int cut = 1; cut <= Text.Length; cut++)
        {
            StopStrings stops = new(["aaab"]);
            string shown = "";
            for (int at = 0; at < Text.Length && !stops.Stopped; at += cut)
            {
                shown += stops.Push(Text.Substring(at, Math.Min(cut, Text.Length - at)));
            }

            Assert.Equal("one aab two ", shown + stops.Flush());
        }
    }
}
