using System.Text.Json.Nodes;
using Anneal.Engine.Text;

namespace Anneal.Engine.Tests.Text;

/// <summary>Files that are broken, hostile or use what is not supported: one clear error that names the file and the field.</summary>
public sealed class TokenizerFileTests : IDisposable
{
    private static readonly string[] Words = ["<unk>", "a", "b", "ab"];

    private readonly TokenizerJson _json = new();

    public void Dispose() => _json.Dispose();

    public static TheoryData<string, string, string> Faults() => new()
    {
        { "normalizer", """{"type":"Sorcery"}""", "normalizer: the normalizer \"Sorcery\" is not supported" },
        { "normalizer", """{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"X"}]}""", "normalizer.normalizers[1]: the normalizer \"X\"" },
        { "normalizer", """{"type":"Strip","strip_left":1,"strip_right":true}""", "normalizer.strip_left must be true or false" },
        { "normalizer", """{"type":"Precompiled","precompiled_charsmap":"!!"}""", "Base64" },
        { "normalizer", """{"type":"Precompiled","precompiled_charsmap":"/////wAA"}""", "does not fit" },
        { "pre_tokenizer", """{"type":"UnicodeScripts"}""", "the pre-tokenizer \"UnicodeScripts\" is not supported" },
        { "pre_tokenizer", """{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated","invert":false}""", "an unclosed group" },
        { "pre_tokenizer", """{"type":"Split","pattern":{"Regex":"(a)\\1"},"behavior":"Isolated","invert":false}""", "the escape '\\1', which is not supported" },
        { "pre_tokenizer", """{"type":"Split","pattern":{"Regex":"\\p{Elvish}"},"behavior":"Isolated","invert":false}""", "\\p{Elvish}" },
        { "pre_tokenizer", """{"type":"Split","pattern":{"String":""},"behavior":"Isolated","invert":false}""", "empty string" },
        { "pre_tokenizer", """{"type":"Split","pattern":{"String":"a"},"behavior":"Shredded","invert":false}""", "\"Shredded\" is not one of" },
        { "pre_tokenizer", """{"type":"Metaspace","replacement":"ab"}""", "replacement must be one character" },
        { "pre_tokenizer", """{"type":"Metaspace","replacement":"_","prepend_scheme":"maybe"}""", "\"maybe\" is not one of always, first, never" },
        { "pre_tokenizer", """{"type":"FixedLength","length":0}""", "length must be above 0" },
        { "post_processor", """{"type":"Magic"}""", "the post-processor \"Magic\" is not supported" },
        { "post_processor", """{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}],"special_tokens":{}}""", "the sequence \"B\" has no place" },
        { "post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}}],"special_tokens":{}}""", "special_tokens.<s> is missing" },
        { "decoder", """{"type":"CTC"}""", "the decoder \"CTC\" is not supported" },
        { "decoder", """{"type":"Strip","content":" ","start":-1,"stop":0}""", "decoder.start must be a whole number from 0" },
        { "model", """{"type":"Oracle"}""", "model.type \"Oracle\" is not supported" },
        { "model", """{"type":"BPE","vocab":{"a":0}}""", "model.merges is missing" },
        { "model", """{"type":"BPE","vocab":{"a":0},"merges":["a a"]}""", "model.merges[0] needs the token \"aa\"" },
        { "model", """{"type":"BPE","vocab":{"a":0},"merges":["a"]}""", "model.merges[0] must be two tokens" },
        { "model", """{"type":"BPE","vocab":{"a":-1},"merges":[]}""", "must be a whole number from 0" },
        { "model", """{"type":"BPE","vocab":{"a":2147483647},"merges":[]}""", "has the id 2147483647, but only 1 tokens" },
        { "model", """{"type":"BPE","vocab":["a"],"merges":[]}""", "model.vocab must be an object, not an array" },
        { "model", """{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}""", "dropout 0.1 is not supported" },
        { "model", """{"type":"Unigram","vocab":[["a",0.0]],"unk_id":1}""", "unk_id 1 is not in a vocabulary of 1" },
        { "model", """{"type":"Unigram","vocab":[["a"]]}""", "model.vocab[0] must be a piece and its score" },
        { "model", """{"type":"BPE","vocab":{"\ud800":0},"merges":[]}""", "surrogate" },
        { "added_tokens", """[{"id":1,"content":"x"}]""", "added_tokens[0].single_word is missing" },
        { "added_tokens", """{}""", "added_tokens must be an array" },
        { "version", "\"2.0\"", "version \"2.0\" is not supported" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_named_with_its_file_and_field(string section, string value, string message)
    {
        string json = TokenizerJson.WordLevel(Words, f => f[section] = "@@").Replace("\"@@\"", value, StringComparison.Ordinal);
        string path = _json.Write(System.Text.Encoding.UTF8.GetBytes(json));
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Tokenizer.Load(path));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_json_are_refused()
    {
        byte[][] contents = [[], "null"u8.ToArray(), "[1]"u8.ToArray(), "{\"model\":"u8.ToArray(), [0xFF, 0xFE, 0x00], new byte[100], "{\"a\":\"\xE9\"}"u8.ToArray()[..5]];
        foreach (byte[] content in contents)
        {
            string path = _json.Write(content);
            Assert.StartsWith(path, Assert.Throws<InvalidDataException>(() => Tokenizer.Load(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => Tokenizer.Load("/nowhere/tokenizer.json"));
        Assert.Contains("/nowhere/tokenizer.json", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Components_nested_without_end_are_refused()
    {
        string deep = string.Concat(Enumerable.Repeat("""{"type":"Sequence","normalizers":[""", 5000)) + string.Concat(Enumerable.Repeat("]}", 5000));
        string path = _json.Write(System.Text.Encoding.UTF8.GetBytes($$"""{"normalizer":{{deep}}}"""));
        Assert.Throws<InvalidDataException>(() => Tokenizer.Load(path));
    }

    [Theory]
    [InlineData("((((((((((a{1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000})")]
    [InlineData("((((((((((){1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000})(")]
    [InlineData("(?<=((((((((((a{1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000}))b")]
    public void A_pattern_that_explodes_is_refused(string pattern)
    {
        string json = TokenizerJson.WordLevel(Words, f => f["pre_tokenizer"] = Split(pattern));
        Assert.Throws<InvalidDataException>(() => _json.Load(json));
    }

    [Fact]
    public void Repeating_nothing_takes_no_time()
    {
        Tokenizer tokenizer = _json.Load(TokenizerJson.WordLevel(Words, f => f["pre_tokenizer"] = Split("(((((){1000}){1000}){1000}){1000})*a")));
        Assert.Equal([1, 2], tokenizer.Encode("ab"));
    }

    [Fact]
    public void Patterns_nested_without_end_are_refused()
    {
        foreach (string pattern in new[] { new string('(', 100_000), "a" + new string('*', 100_000), new string('[', 100_000), string.Concat(Enumerable.Repeat("(?i)", 100_000)) })
        {
            Assert.Throws<InvalidDataException>(() => _json.Load(TokenizerJson.WordLevel(Words, f => f["pre_tokenizer"] = Split(pattern))));
        }
    }

    [Fact]
    public void A_pattern_that_backtracks_without_end_is_given_up()
    {
        Tokenizer tokenizer = _json.Load(TokenizerJson.WordLevel(Words, f => f["pre_tokenizer"] = Split("(a+)+b")));
        Assert.Throws<InvalidDataException>(() => tokenizer.Encode(new string('a', 60)));
    }

    [Fact]
    public void A_character_without_a_token_is_an_error_if_there_is_no_unknown_token()
    {
        Tokenizer unigram = _json.Load(TokenizerJson.WordLevel(Words, f => f["model"] = JsonNode.Parse("""{"type":"Unigram","vocab":[["a",-1.0]]}""")));
        Assert.Equal([0], unigram.Encode("a"));
        Assert.Throws<InvalidDataException>(() => unigram.Encode("z"));
    }

    [Fact]
    public void An_added_token_gets_the_models_id_or_the_next_free_one()
    {
        JsonNode? added = JsonNode.Parse("""
            [{"id":9,"content":"b","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":false},
             {"id":17,"content":"<x>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}]
            """);
        Tokenizer tokenizer = _json.Load(TokenizerJson.WordLevel(Words, f => f["added_tokens"] = added));
        Assert.Equal(2, tokenizer.TokenToId("b"));
        Assert.Equal(4, tokenizer.TokenToId("<x>"));
        Assert.Equal("<x>", tokenizer.IdToToken(4));
        Assert.True(tokenizer.IsSpecial(4));
        Assert.False(tokenizer.IsSpecial(2));
        Assert.Equal(5, tokenizer.VocabularySize);
        Assert.Null(tokenizer.IdToToken(5));
        Assert.Null(tokenizer.TokenToId("nothing"));
        Assert.Equal([1, 4, 2], tokenizer.Encode("a<x>b"));
        Assert.Equal("a <x> b", tokenizer.Decode([1, 4, 99, 2]));
        Assert.Equal("a b", tokenizer.Decode([1, 4, 2], skipSpecialTokens: true));
    }

    private static JsonNode Split(string pattern) => new JsonObject
    {
        ["type"] = "Split",
        ["pattern"] = new JsonObject { ["Regex"] = pattern },
        ["behavior"] = "Isolated",
        ["invert"] = false,
    };
}
