using System.Diagnostics;
using System.Text.Json.Nodes;
using Anneal.Engine.Text;

namespace Anneal.Engine.Tests.Text;

/// <summary>What the fixtures do not show: offsets, long words, threads, and the components that no fixture has.</summary>
public sealed class TokenizerBehaviourTests : IDisposable
{
    private readonly TokenizerJson _json = new();

    public void Dispose() => _json.Dispose();

    [Fact]
    public void Byte_level_offsets_cover_the_text_and_share_a_characters_span()
    {
        const string Text = "the 😀 é end";
        Encoding encoding = TokenizerJson.LoadFixture("gpt2").EncodeWithOffsets(Text);
        Assert.Equal(0, encoding.Starts[0]);
        Assert.Equal(Text.Length, encoding.Ends[^1]);
        for (int i = 1; i < encoding.Ids.Length; i++)
        {
            Assert.True(encoding.Starts[i] == encoding.Ends[i - 1] || (encoding.Starts[i], encoding.Ends[i]) == (encoding.Starts[i - 1], encoding.Ends[i - 1]));
        }

        int[] emoji = [.. Enumerable.Range(0, encoding.Ids.Length).Where(i => encoding.Starts[i] == 4)];
        Assert.All(emoji, i => Assert.Equal(6, encoding.Ends[i]));
    }

    [Fact]
    public void Offsets_point_into_the_original_when_the_normalizer_composes_and_drops()
    {
        // NFC joins e and its accent: the token of é stands for where the two began.
        Encoding composed = TokenizerJson.LoadFixture("qwen2").EncodeWithOffsets("ne\u0301e");
        Assert.Equal(0, composed.Starts[0]);
        Assert.Equal(4, composed.Ends[^1]);

        // Strip drops the blanks around; offsets still count them.
        Encoding stripped = TokenizerJson.LoadFixture("unigram-fold").EncodeWithOffsets("  cat  ");
        Assert.Equal(2, stripped.Starts[0]);
        Assert.Equal(5, stripped.Ends[^1]);
    }

    [Fact]
    public void A_prepended_character_has_the_place_of_what_follows_it()
    {
        Encoding encoding = TokenizerJson.LoadFixture("llama2").EncodeWithOffsets("the cat");
        Assert.Equal(0, encoding.Starts[0]);
        Assert.Equal(7, encoding.Ends[^1]);
        for (int i = 1; i < encoding.Ids.Length; i++)
        {
            Assert.Equal(encoding.Ends[i - 1], encoding.Starts[i]);
        }
    }

    [Fact]
    public void Special_tokens_around_a_text_have_no_place_in_it()
    {
        Encoding encoding = TokenizerJson.LoadFixture("llama3").EncodeWithOffsets("cat", addSpecialTokens: true);
        Assert.Equal((0, 0), (encoding.Starts[0], encoding.Ends[0]));
        Assert.Equal(3, encoding.Ends[^1]);
    }

    [Fact]
    public void A_lone_surrogate_counts_as_the_replacement_character()
    {
        Tokenizer tokenizer = TokenizerJson.LoadFixture("gpt2");
        Assert.Equal(tokenizer.Encode("a\uFFFDb"), tokenizer.Encode("a\uD83Db"));
        Assert.Equal(tokenizer.Encode("\uFFFD"), tokenizer.Encode("\uDE00"));
    }

    [Fact]
    public void A_long_word_does_not_cost_its_square()
    {
        Tokenizer tokenizer = TokenizerJson.LoadFixture("llama2");
        tokenizer.Encode(new string('x', 1000));
        Stopwatch watch = Stopwatch.StartNew();
        int[] ids = tokenizer.Encode(string.Concat(Enumerable.Repeat("the cat counts", 30_000)));
        Assert.NotEmpty(ids);

        // 420,000 characters in one word: a second or so on a slow machine; their square would take hours.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"took {watch.Elapsed}");
    }

    [Fact]
    public void Scanning_and_the_heap_merge_alike()
    {
        // A word of the length where the heap takes over, against itself in a longer one with a break that no merge crosses.
        Tokenizer tokenizer = _json.Load(TokenizerJson.Bpe(
            ["<", "a", "b", "c", "aa", "ab", "abc", "aab", "bc", "ca", "caa"],
            ["a b", "b c", "c a", "a a", "ab c", "a ab", "ca a"]));
        Random random = new(7);
        for (int round = 0; round < 300; round++)
        {
            string word = string.Concat(Enumerable.Range(0, random.Next(1, 24)).Select(_ => "abc"[random.Next(3)]));
            int[] alone = tokenizer.Encode(word);
            string joined = string.Join('<', Enumerable.Repeat(word, 30));
            int[] together = tokenizer.Encode(joined);
            Assert.Equal(string.Join(",0,", Enumerable.Repeat(string.Join(',', alone), 30)), string.Join(',', together));
        }
    }

    [Fact]
    public async Task Many_threads_get_the_same_ids()
    {
        Tokenizer tokenizer = TokenizerJson.LoadFixture("qwen2");
        string[] texts = [.. Enumerable.Range(0, 200).Select(i => $"the {i} cats of çà and 😀{i * 7919} went home{new string('!', i % 5)}")];
        int[][] expected = [.. texts.Select(t => TokenizerJson.LoadFixture("qwen2").Encode(t))];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < texts.Length; i++)
            {
                Assert.Equal(expected[i], tokenizer.Encode(texts[i]));
            }
        })));
    }

    [Fact]
    public void Word_pieces_take_the_longest_piece_and_decode_without_the_prefix()
    {
        JsonNode? model = JsonNode.Parse("""
            {"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":8,
             "vocab":{"[UNK]":0,"un":1,"##aff":2,"##able":3,"aff":4,"!":5,"[CLS]":6,"[SEP]":7,"x":8}}
            """);
        Tokenizer tokenizer = _json.Load(TokenizerJson.WordLevel(["a"], f =>
        {
            f["model"] = model;
            f["normalizer"] = JsonNode.Parse("""{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}""");
            f["pre_tokenizer"] = JsonNode.Parse("""{"type":"BertPreTokenizer"}""");
            f["post_processor"] = JsonNode.Parse("""{"type":"BertProcessing","sep":["[SEP]",7],"cls":["[CLS]",6]}""");
            f["decoder"] = JsonNode.Parse("""{"type":"WordPiece","prefix":"##","cleanup":true}""");
        }));
        Assert.Equal([6, 1, 2, 5, 7], tokenizer.Encode("ÚnAff!", addSpecialTokens: true));
        Assert.Equal([1, 3, 0, 0], tokenizer.Encode("unable unx xxxxxxxxx"));
        Assert.Equal([0, 8], tokenizer.Encode("中x"));
        Assert.Equal("unaff! x", tokenizer.Decode([1, 2, 5, 8]));
    }

    [Fact]
    public void A_byte_pair_model_marks_continuations_and_ends_of_words()
    {
        Tokenizer tokenizer = _json.Load(TokenizerJson.Bpe(
            ["a", "b</w>", "a</w>", "ab</w>", "?"],
            ["a b</w>"],
            f =>
            {
                f["model"]!["end_of_word_suffix"] = "</w>";
                f["model"]!["unk_token"] = "?";
                f["decoder"] = JsonNode.Parse("""{"type":"BPEDecoder","suffix":"</w>"}""");
            }));
        Assert.Equal([3, 2, 4, 2], tokenizer.Encode("ab a za"));
        Assert.Equal("ab a", tokenizer.Decode([3, 2]));
        StreamingDecoder stream = tokenizer.CreateStreamingDecoder();
        Assert.Equal("ab a", stream.Push(3) + stream.Push(2) + stream.Flush());
    }

    [Fact]
    public void Decoding_steps_that_need_a_whole_text_wait_for_it()
    {
        Tokenizer tokenizer = _json.Load(TokenizerJson.WordLevel(["<", "a", "ab", "c  "], f => f["decoder"] = JsonNode.Parse(
            """{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"String":"aa"},"content":"X"},{"type":"Strip","content":" ","start":0,"stop":1}]}""")));
        Assert.Equal("Xbc ", tokenizer.Decode([1, 2, 3]));
        StreamingDecoder stream = tokenizer.CreateStreamingDecoder();
        Assert.Equal("Xbc ", stream.Push(1) + stream.Push(2) + stream.Push(3) + stream.Flush());
    }

    [Fact]
    public void A_stream_never_shows_half_a_character()
    {
        foreach (string name in new[] { "gpt2", "llama2", "gemma", "added-flags" })
        {
            Tokenizer tokenizer = TokenizerJson.LoadFixture(name);
            StreamingDecoder stream = tokenizer.CreateStreamingDecoder();
            const string Text = "naïve 👩‍🚀 你好 ok";
            int[] ids = tokenizer.Encode(Text);
            string[] pieces = [.. ids.Select(stream.Push)];
            Assert.DoesNotContain(pieces, p => p.Contains('\uFFFD', StringComparison.Ordinal));
            Assert.Equal(Text, string.Concat(pieces) + stream.Flush());
            Assert.Equal("", stream.Flush());
        }
    }

    [Fact]
    public void An_unfinished_character_ends_as_a_replacement_character()
    {
        Tokenizer tokenizer = TokenizerJson.LoadFixture("gpt2");
        StreamingDecoder stream = tokenizer.CreateStreamingDecoder();
        int[] ids = tokenizer.Encode("😀");
        Assert.Equal("", string.Concat(ids[..^1].Select(stream.Push)));
        Assert.Equal("\uFFFD", stream.Flush());
    }
}
