using System.Text;
using System.Text.Json.Nodes;
using Anneal.Engine.Data;
using Anneal.Engine.Text;

namespace Anneal.Engine.Tests.Data;

/// <summary>What is trained of a conversation, for templates that make it hard to tell.</summary>
public sealed class MaskingTests
{
    private const string ChatMl =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private const string TwoTurns =
        """[{"role":"user","content":"one"},{"role":"assistant","content":"two"},{"role":"user","content":"three"},{"role":"assistant","content":"four"}]""";

    private static readonly Tokenizer Tokenizer =
        Tokenizer.Load(Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", "llama", "tokenizer.json"));

    [Fact]
    public void An_answer_is_trained_from_the_generation_prompt_through_the_end_of_turn() =>
        Assert.Equal(["two<|im_end|>", "four<|im_end|>"], Trained(ChatMl, TwoTurns));

    [Fact]
    public void A_message_of_weight_zero_is_not_trained() => Assert.Equal(["four<|im_end|>"], Trained(ChatMl, WithWeight(0)));

    [Fact]
    public void A_message_of_weight_zero_need_not_be_found()
    {
        string template = ChatMl.Replace("{{ m.content }}<|im_end|>", "{{ m.content }}{{ '<|im_end|>' if not loop.first }}", StringComparison.Ordinal);
        string messages = """[{"role":"assistant","content":"hi","weight":0},{"role":"user","content":"one"},{"role":"assistant","content":"two"}]""";
        Assert.Equal(["two<|im_end|>"], Trained(template, messages));
    }

    [Fact]
    public void Thoughts_that_are_left_out_of_earlier_turns_do_not_move_the_mask()
    {
        string template = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "templates", "chatml-thinking.jinja"));
        string messages =
            """
            [{"role":"user","content":"one"},{"role":"assistant","content":"two","reasoning_content":"hm"},{"role":"user","content":"three"},
             {"role":"assistant","content":"four","reasoning_content":"well"}]
            """;
        Assert.Equal(["two<|im_end|>", "<think>\nwell\n</think>\n\nfour<|im_end|>"], Trained(template, messages));
    }

    [Fact]
    public void Thoughts_in_the_content_of_an_earlier_turn_that_are_left_out_do_not_move_the_mask()
    {
        string template = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "templates", "chatml-thinking.jinja"));
        string messages =
            """
            [{"role":"user","content":"one"},{"role":"assistant","content":"<think>\nhm\n</think>\n\ntwo"},{"role":"user","content":"three"},
             {"role":"assistant","content":"<think>\nwell\n</think>\n\nfour"}]
            """;
        Assert.Equal(["two<|im_end|>", "<think>\nwell\n</think>\n\nfour<|im_end|>"], Trained(template, messages));
    }

    [Fact]
    public void Calls_whose_turns_are_written_differently_later_are_trained_whole()
    {
        string template = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "templates", "chatml-thinking.jinja"));
        string call = """{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}}""";
        string messages =
            $$"""
            [{"role":"user","content":"one"},{"role":"assistant","content":"","reasoning_content":"hm","tool_calls":[{{call}}]},
             {"role":"tool","tool_call_id":"c1","content":"ok"},{"role":"assistant","content":"done"},
             {"role":"user","content":"three"},{"role":"assistant","content":"four","reasoning_content":"well"}]
            """;
        string called = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call><|im_end|>";
        Assert.Equal([called, "done<|im_end|>", "<think>\nwell\n</think>\n\nfour<|im_end|>"], Trained(template, messages));
    }

    [Fact]
    public void A_generation_prompt_that_opens_thoughts_which_the_text_does_not_have_still_shows_where_answers_begin()
    {
        string template = ChatMl.Replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}", StringComparison.Ordinal);
        Assert.Equal(["two<|im_end|>", "four<|im_end|>"], Trained(template, TwoTurns));
    }

    [Fact]
    public void Generation_blocks_show_answers_that_nothing_else_shows()
    {
        // The first message is written differently depending on the number of messages, and there is no generation prompt.
        const string Template =
            "{{ messages | length }}{% for m in messages %}{% if m.role == 'assistant' %}[A]{% generation %}{{ m.content }}{% endgeneration %}<|im_end|>"
            + "{% else %}[U]{{ m.content }}{% endif %}{% endfor %}";
        Assert.Equal(["two<|im_end|>", "four<|im_end|>"], Trained(Template, TwoTurns));
    }

    [Fact]
    public void Generation_blocks_inside_macros_are_not_taken_for_places()
    {
        const string Template =
            "{{ messages | length }}{% macro a(m) %}[A]{% generation %}{{ m.content }}{% endgeneration %}<|im_end|>{% endmacro %}"
            + "{% for m in messages %}{{ a(m) if m.role == 'assistant' else '[U]' ~ m.content }}{% endfor %}";
        Assert.Throws<MaskingException>(() => Trained(Template, TwoTurns));
    }

    [Fact]
    public void A_turn_that_ends_with_the_beginning_of_the_next_one_is_trained_through_it()
    {
        const string Template =
            "{% for m in messages %}<|im_start|>{{ m.role }} {{ m.content }}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant{% endif %}";
        string messages = """[{"role":"user","content":"one"},{"role":"assistant","content":"two"},{"role":"user","content":"three"}]""";
        Assert.Equal([" two<|im_start|>"], Trained(Template, messages, stops: [1]));
    }

    [Fact]
    public void A_text_end_behind_the_last_turn_is_not_part_of_the_turn()
    {
        string template = ChatMl + "{% if not add_generation_prompt %}{{ '<|endoftext|>' }}{% endif %}";
        Assert.Equal(["two<|im_end|>", "four<|im_end|>"], Trained(template, TwoTurns, stops: [0, 2]));
    }

    [Fact]
    public void An_answer_that_ends_with_a_stop_token_of_its_own_is_trained_through_the_turns()
    {
        string messages = """[{"role":"user","content":"one"},{"role":"assistant","content":"say <|im_end|>"}]""";
        Assert.Equal(["say <|im_end|><|im_end|>"], Trained(ChatMl, messages));
    }

    [Fact]
    public void A_special_token_that_is_not_a_stop_token_can_end_turns() =>
        Assert.Equal(["two<|im_end|>", "four<|im_end|>"], Trained(ChatMl, TwoTurns, stops: [0]));

    [Fact]
    public void A_template_whose_turns_do_not_end_is_refused_with_the_place()
    {
        string template = ChatMl.Replace("<|im_end|>", "", StringComparison.Ordinal);
        MaskingException e = Assert.Throws<MaskingException>(() => Trained(template, TwoTurns));
        Assert.Equal((7, 3), (e.Line, e.MessageIndex));
        Assert.Contains("<|im_end|>", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_conversation_that_the_template_refuses_is_refused_with_the_templates_words()
    {
        string template = "{{ raise_exception('No system messages, please') if messages[0].role == 'system' }}" + ChatMl;
        string messages = """[{"role":"system","content":"x"},{"role":"user","content":"one"},{"role":"assistant","content":"two"}]""";
        MaskingException e = Assert.Throws<MaskingException>(() => Trained(template, messages));
        Assert.Contains("No system messages, please", e.Message, StringComparison.Ordinal);
        Assert.Equal(7, e.Line);
    }

    [Fact]
    public void A_conversation_may_begin_with_an_answer()
    {
        string template = "{% set first = messages[0].role %}" + ChatMl;
        string messages = """[{"role":"assistant","content":"hello"},{"role":"user","content":"one"},{"role":"assistant","content":"two"}]""";
        Assert.Equal(["hello<|im_end|>", "two<|im_end|>"], Trained(template, messages));
    }

    [Fact]
    public void Long_examples_are_cut_at_the_end_and_say_how_long_they_were()
    {
        TokenizedExample whole = Tokenize(ChatMl, TwoTurns, [2], int.MaxValue, out string all);
        TokenizedExample cut = Tokenize(ChatMl, TwoTurns, [2], 10, out string rendered);
        Assert.Equal(all, rendered);
        Assert.Equal(whole.Ids[..10], cut.Ids);
        Assert.Equal(whole.Weights[..10], cut.Weights);
        Assert.Equal(whole.Ids.Length, cut.OriginalLength);
    }

    [Fact]
    public void Arguments_reach_a_template_in_the_form_it_writes()
    {
        string call = """{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\": [1, \"a\"]}"}}""";
        string messages = $$"""[{"role":"user","content":"one"},{"role":"assistant","content":null,"tool_calls":[{{call}}]}]""";
        string asJson = ChatMl.Replace("{{ m.content }}", "{{ m.content or '' }}{{ m.tool_calls[0].function.arguments | tojson if m.tool_calls }}", StringComparison.Ordinal);
        string asText = asJson.Replace(" | tojson", "", StringComparison.Ordinal);
        string added = asJson.Replace("{{ m.tool_calls[0].function.arguments | tojson if", "{{ '' + m.tool_calls[0].function.arguments if", StringComparison.Ordinal);
        string[] expected = ["{\"x\": [1, \"a\"]}<|im_end|>"];
        Assert.Equal(expected, Trained(asJson, messages));
        Assert.Equal(expected, Trained(asText, messages));
        Assert.Equal(expected, Trained(added, messages));
    }

    [Fact]
    public void Parts_of_text_refusals_and_old_function_calls_become_what_templates_know()
    {
        JsonArray messages = JsonNode.Parse(
            """
            [{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":null,"refusal":"no","weight":1},
             {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"r"}]
            """)!.AsArray();
        JsonArray converted = ChatMessages.ForTemplate(messages, ChatTemplate.Parse(ChatMl));
        Assert.Equal("ab", (string?)converted[0]!["content"]);
        Assert.Equal("no", (string?)converted[1]!["content"]);
        Assert.False(converted[1]!.AsObject().ContainsKey("weight"));
        Assert.Equal("f", (string?)converted[2]!["tool_calls"]![0]!["function"]!["name"]);
        Assert.Equal("tool", (string?)converted[3]!["role"]);
        Assert.Equal("function", (string?)messages[3]!["role"]);
    }

    private static string WithWeight(int weight) => TwoTurns.Replace("\"two\"", $"\"two\",\"weight\":{weight}", StringComparison.Ordinal);

    private static TokenizedExample Tokenize(string template, string messages, int[] stops, int maxLength, out string rendered)
    {
        SpecialTokens special = new("<|endoftext|>", "<|im_end|>", null, 0, 2, null, stops, new Dictionary<string, JsonNode?>());
        ChatExample example = new(7, JsonNode.Parse(messages)!.AsArray(), null);
        return Masking.Tokenize(example, Tokenizer, ChatTemplate.Parse(template), special, maxLength, out rendered);
    }

    // The stretches of text that are trained.
    private static List<string> Trained(string template, string messages, int[]? stops = null)
    {
        TokenizedExample example = Tokenize(template, messages, stops ?? [2], int.MaxValue, out string rendered);
        Anneal.Engine.Text.Encoding encoding = Tokenizer.EncodeWithOffsets(rendered);
        List<string> stretches = [];
        StringBuilder current = new();
        for (int t = 0; t <= example.Ids.Length; t++)
        {
            if (t < example.Ids.Length && example.Weights[t] > 0)
            {
                current.Append(rendered, encoding.Starts[t], encoding.Ends[t] - encoding.Starts[t]);
            }
            else if (current.Length > 0)
            {
                stretches.Add(current.ToString());
                current.Clear();
            }
        }

        return stretches;
    }
}
