using System.Text;
using Anneal.Engine.Data;

namespace Anneal.Engine.Tests.Data;

/// <summary>Every fault of a training file is found, with its place.</summary>
public sealed class ChatFileTests
{
    private const string Good = """{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}""";

    [Theory]
    [InlineData("not json", DataFaultCodes.InvalidJson, "")]
    [InlineData("""{"messages": [}""", DataFaultCodes.InvalidJson, "")]
    [InlineData("""{"a": 1} x""", DataFaultCodes.InvalidJson, "")]
    [InlineData("""{"messages":[{"role":"user","content":"\ud800"},{"role":"assistant","content":"b"}]}""", DataFaultCodes.InvalidJson, "")]
    [InlineData("[1]", DataFaultCodes.NotAnObject, "")]
    [InlineData("\"text\"", DataFaultCodes.NotAnObject, "")]
    [InlineData("null", DataFaultCodes.NotAnObject, "")]
    [InlineData("", DataFaultCodes.BlankLine, "")]
    [InlineData("{}", DataFaultCodes.MissingKey, "/messages")]
    [InlineData("""{"messages":"x"}""", DataFaultCodes.InvalidType, "/messages")]
    [InlineData("""{"messages":[]}""", DataFaultCodes.EmptyList, "/messages")]
    [InlineData("""{"messages":[1,{"role":"assistant","content":"b"}]}""", DataFaultCodes.InvalidType, "/messages/0")]
    [InlineData("""{"messages":[{"role":"user","content":"a"}]}""", DataFaultCodes.NoAssistantMessage, "/messages")]
    [InlineData("""{"messages":[{"content":"a"},{"role":"assistant","content":"b"}]}""", DataFaultCodes.MissingKey, "/messages/0/role")]
    [InlineData("""{"messages":[{"role":"bot","content":"a"},{"role":"assistant","content":"b"}]}""", DataFaultCodes.InvalidValue, "/messages/0/role")]
    [InlineData("""{"messages":[{"role":1,"content":"a"},{"role":"assistant","content":"b"}]}""", DataFaultCodes.InvalidType, "/messages/0/role")]
    [InlineData("""{"messages":[{"role":"user"},{"role":"assistant","content":"b"}]}""", DataFaultCodes.MissingKey, "/messages/0/content")]
    [InlineData("""{"messages":[{"role":"user","content":null},{"role":"assistant","content":"b"}]}""", DataFaultCodes.InvalidType, "/messages/0/content")]
    [InlineData("""{"messages":[{"role":"user","content":5},{"role":"assistant","content":"b"}]}""", DataFaultCodes.InvalidType, "/messages/0/content")]
    [InlineData("""{"messages":[{"role":"user","content":[]},{"role":"assistant","content":"b"}]}""", DataFaultCodes.EmptyList, "/messages/0/content")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"text"}]},{"role":"assistant","content":"b"}]}""", DataFaultCodes.MissingKey, "/messages/0/content/0/text")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]},{"role":"assistant","content":"b"}]}""", DataFaultCodes.UnsupportedContent, "/messages/0/content/0/type")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"assistant"}]}""", DataFaultCodes.MissingKey, "/messages/1/content")]
    [InlineData("""{"messages":[{"role":"user","content":"a","wieght":1},{"role":"assistant","content":"b"}]}""", DataFaultCodes.UnknownKey, "/messages/0/wieght")]
    [InlineData("""{"messages":[{"role":"user","content":"a","weight":1},{"role":"assistant","content":"b"}]}""", DataFaultCodes.InvalidWeight, "/messages/0/weight")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":0.5}]}""", DataFaultCodes.InvalidWeight, "/messages/1/weight")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":true}]}""", DataFaultCodes.InvalidWeight, "/messages/1/weight")]
    [InlineData("""{"messages":[{"role":"user","content":"a","name":3},{"role":"assistant","content":"b"}]}""", DataFaultCodes.InvalidType, "/messages/0/name")]
    [InlineData("""{"messages":[{"role":"assistant","tool_calls":{}}]}""", DataFaultCodes.InvalidType, "/messages/0/tool_calls")]
    [InlineData("""{"messages":[{"role":"assistant","tool_calls":[]}]}""", DataFaultCodes.EmptyList, "/messages/0/tool_calls")]
    [InlineData("""{"messages":[{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"}}]}]}""", DataFaultCodes.MissingKey, "/messages/0/tool_calls/0/id")]
    [InlineData("""{"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":{}}}]}]}""", DataFaultCodes.InvalidType, "/messages/0/tool_calls/0/function/arguments")]
    [InlineData("""{"messages":[{"role":"tool","content":"r"},{"role":"assistant","content":"b"}]}""", DataFaultCodes.MissingKey, "/messages/0/tool_call_id")]
    [InlineData("""{"messages":[{"role":"assistant","content":"b"}],"tools":[{"type":"function"}]}""", DataFaultCodes.MissingKey, "/tools/0/function")]
    [InlineData("""{"messages":[{"role":"assistant","content":"b"}],"tools":[{"type":"function","function":{"name":"a b"}}]}""", DataFaultCodes.InvalidValue, "/tools/0/function/name")]
    [InlineData("""{"messages":[{"role":"assistant","content":"b"}],"parallel_tool_calls":1}""", DataFaultCodes.InvalidType, "/parallel_tool_calls")]
    [InlineData("""{"messages":[{"role":"assistant","content":"b"}],"a/b~c":1}""", DataFaultCodes.UnknownKey, "/a~1b~0c")]
    [InlineData("""{"messages":[{"role":"assistant","content":"b","content":"c"}]}""", DataFaultCodes.DuplicateKey, "/messages/0/content")]
    [InlineData("""{"prompt":"a","completion":"b"}""", DataFaultCodes.UnsupportedFormat, "")]
    [InlineData("""{"input":{"messages":[]},"preferred_output":[],"non_preferred_output":[]}""", DataFaultCodes.UnsupportedFormat, "")]
    [InlineData("""{"messages":[{"role":"user","content":"a"}],"answer":42}""", DataFaultCodes.UnsupportedFormat, "")]
    public async Task A_faulty_line_is_reported_by_line_place_and_kind(string line, string code, string pointer)
    {
        ChatFileContents file = await Load($"{Good}\n{line}\n{Good}\n");
        DataFault fault = Assert.Single(file.Faults);
        Assert.Equal((2, pointer, code), (fault.Line, fault.Pointer, fault.Code));
        Assert.Contains(code is DataFaultCodes.BlankLine or DataFaultCodes.NotAnObject ? "Line 2" : "Example 2", fault.Message, StringComparison.Ordinal);
        Assert.Equal([1, 3], file.Examples.Select(e => e.Line));
    }

    [Fact]
    public async Task All_faults_of_a_line_are_reported_at_once()
    {
        ChatFileContents file = await Load("""{"messages":[{"content":"a"},{"role":"assistant","content":"b","weight":2,"x":1}],"extra":{}}""");
        Assert.Equal(["/extra", "/messages/0/role", "/messages/1/x", "/messages/1/weight"], file.Faults.Select(f => f.Pointer));
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a","name":"ana"},{"role":"assistant","content":"b","weight":0}]}""")]
    [InlineData("""{"messages":[{"role":"developer","content":[{"type":"text","text":"s"}]},{"role":"assistant","content":"b","weight":1.0}]}""")]
    [InlineData("""{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"no json"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],"parallel_tool_calls":false,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":null}}]}""")]
    [InlineData("""{"messages":[{"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":null}],"functions":[{"name":"f"}]}""")]
    [InlineData("""{"messages":[{"role":"assistant","content":null,"refusal":"no"},{"role":"user","content":"ok"}]}""")]
    public async Task Everything_that_the_format_allows_is_read(string line)
    {
        ChatFileContents file = await Load(line);
        Assert.Empty(file.Faults);
        Assert.Single(file.Examples);
    }

    [Fact]
    public async Task A_byte_order_mark_and_windows_line_ends_are_accepted()
    {
        ChatFileContents file = await Load($"\uFEFF{Good}\r\n{Good}\r\n");
        Assert.Empty(file.Faults);
        Assert.Equal(2, file.Examples.Count);
    }

    [Fact]
    public async Task The_last_line_needs_no_line_end() => Assert.Equal(2, (await Load($"{Good}\n{Good}")).Examples.Count);

    [Theory]
    [InlineData("", DataFaultCodes.EmptyFile)]
    [InlineData("\uFEFF", DataFaultCodes.EmptyFile)]
    public async Task An_empty_file_says_so(string text, string code) =>
        Assert.Contains((await Load(text)).Faults, f => f.Code == code && f.Line == 0);

    [Fact]
    public async Task Bytes_that_are_no_utf8_are_reported_with_their_place()
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes(Good + "\n{\"messages\": \"h"), 0xC3, 0x28, (byte)'"', (byte)'}'];
        ChatFileContents file = await ChatFile.LoadAsync(new MemoryStream(bytes));
        DataFault fault = Assert.Single(file.Faults);
        Assert.Equal((2, DataFaultCodes.InvalidUtf8), (fault.Line, fault.Code));
        Assert.Contains("byte 16", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_beyond_the_limit_is_skipped_and_reported()
    {
        string text = $"{Good}\n{new string('x', 300_000)}\n{Good}";
        ChatFileContents file = await ChatFile.LoadAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), maxLineBytes: 1000);
        Assert.Equal((2, DataFaultCodes.LineTooLong), file.Faults.Select(f => (f.Line, f.Code)).Single());
        Assert.Equal([1, 3], file.Examples.Select(e => e.Line));
    }

    [Fact]
    public async Task Lines_come_out_whole_however_the_stream_is_cut()
    {
        string text = string.Join('\n', Enumerable.Range(0, 200).Select(i => Good.Replace("\"a\"", $"\"{new string('é', i)}\"", StringComparison.Ordinal)));
        ChatFileContents file = await ChatFile.LoadAsync(new DripStream(Encoding.UTF8.GetBytes(text)));
        Assert.Empty(file.Faults);
        Assert.Equal(Enumerable.Range(0, 200), file.Examples.Select(e => ((string)e.Messages[0]!["content"]!).Length));
    }

    [Fact]
    public void Fewer_than_ten_examples_are_a_fault_of_the_whole_file()
    {
        Assert.Null(ChatFile.CheckCount(10));
        Assert.Equal("Training file has 7 example(s), but must have at least 10 examples", ChatFile.CheckCount(7)!.Message);
        Assert.Equal(DataFaultCodes.TooFewExamples, ChatFile.CheckCount(0, "Validation")!.Code);
    }

    [Fact]
    public async Task A_report_counts_tokens_truncations_duplicates_and_overlap()
    {
        Anneal.Engine.Text.ModelText model = Anneal.Engine.Text.ModelText.Load(Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", "llama"));
        string longer = Good.Replace("\"b\"", $"\"{string.Concat(Enumerable.Repeat("word ", 40))}\"", StringComparison.Ordinal);
        ChatFileContents file = await Load($"{Good}\n{longer}\n{Good}\n");
        ChatFileReport report = ChatFileReport.Of(file, await Load(longer), model, maxLength: 30);
        Assert.Equal(3, report.Examples);
        Assert.Equal([new RepeatedLine(3, 1)], report.Duplicates);
        Assert.Equal([new RepeatedLine(2, 1)], report.Overlap);
        Assert.Equal(DataFaultCodes.TooFewExamples, Assert.Single(report.Faults).Code);
        TokenReport tokens = report.Tokens!;
        Assert.Equal([2], tokens.Truncated);
        Assert.Equal(tokens.Longest - 30, tokens.TruncatedTokens);
        Assert.Equal(3, tokens.Histogram.Sum(h => h.Examples));
        TokenizedExample first = Masking.Tokenize(file.Examples[0], model, 30, out _);
        TokenizedExample second = Masking.Tokenize(file.Examples[1], model, 30, out _);
        Assert.Equal((2 * first.Ids.Length) + 30, tokens.Tokens);
        Assert.Equal((2 * first.TrainedTokens) + second.TrainedTokens, tokens.TrainedTokens);
    }

    private static Task<ChatFileContents> Load(string text) => ChatFile.LoadAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)));

    /// <summary>Gives a few bytes at a time.</summary>
    private sealed class DripStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, 7)], cancellationToken);
    }
}
