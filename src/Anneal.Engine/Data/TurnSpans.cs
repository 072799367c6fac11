using System.Text.Json.Nodes;
using Anneal.Engine.Text;
using Anneal.Engine.Text.Jinja;

namespace Anneal.Engine.Data;

/// <summary>
/// Finds where each answer stands in a rendered conversation, with nothing but renderings of it: a chat template is a
/// program, and only what it writes tells what it does.
/// </summary>
/// <remarks>
/// Most templates write a conversation so that its beginnings are beginnings of the text. Then the text up to an answer,
/// with the generation prompt, ends where the answer begins, and the text up to and with it ends where it ends. Templates
/// that write an earlier turn differently once there are later ones (and leave its thoughts out, say) do not; there the
/// answer is replaced by a mark, and what differs is the answer. If neither finds it, a <c>{% generation %}</c> block may.
/// </remarks>
internal sealed class TurnSpans(int line, ChatTemplate template, Tokenizer tokenizer, SpecialTokens special, DateTimeOffset now)
{
    // Private-use characters at both ends: no text begins or ends like it by chance.
    private const string Mark = "\uE0F14711\uE0F2";

    private readonly Dictionary<string, object?> _inputs = new(StringComparer.Ordinal);
    private List<object?> _messages = [];
    private IReadOnlyList<GeneratedSpan> _generated = [];

    /// <summary>The rendered conversation.</summary>
    public string Text { get; private set; } = "";

    /// <summary>Its tokens.</summary>
    public Encoding Encoding { get; private set; } = new([], [], []);

    /// <summary>
    /// The token that ends a turn in this template, seen in a conversation of one question and one answer; null if it shows none.
    /// </summary>
    public static int? EndOfTurn(ChatTemplate template, Tokenizer tokenizer, SpecialTokens special)
    {
        TurnSpans spans = new(0, template, tokenizer, special, Masking.DefaultNow);
        JsonArray messages = [new JsonObject { ["role"] = "user", ["content"] = "a" }, new JsonObject { ["role"] = "assistant", ["content"] = "b" }];
        try
        {
            spans.Open(messages, null);
            int end = spans.Find(1).End;
            int token = Array.FindIndex(spans.Encoding.Ends, e => e == end);
            return token < 0 ? null : spans.Encoding.Ids[token];
        }
        catch (MaskingException)
        {
            return null;
        }
    }

    /// <summary>Renders the conversation; messages as the template wants them.</summary>
    /// <exception cref="MaskingException">The template refuses it.</exception>
    public void Open(JsonArray messages, JsonNode? tools)
    {
        _messages = JsonValues.FromMessages(messages);
        _inputs["documents"] = null;
        _inputs["tools"] = JsonValues.From(tools);
        foreach ((string name, JsonNode? value) in special.TemplateVariables)
        {
            _inputs[name] = JsonValues.From(value);
        }

        try
        {
            RenderedChat chat = RenderChat(_messages, prompt: false);
            Text = chat.Text;
            _generated = chat.Spans;
        }
        catch (TemplateException e)
        {
            throw new MaskingException(line, null, $"the model's chat template cannot write this conversation: {e.Message}", e);
        }

        Encoding = tokenizer.EncodeWithOffsets(Text);
    }

    /// <summary>The place of an assistant message: from the end of the generation prompt through the token that ends the turn.</summary>
    /// <exception cref="MaskingException">The template does not show it.</exception>
    public (int Start, int End) Find(int message)
    {
        (int Start, int End)? span = FromBeginnings(message) ?? FromMark(message) ?? FromGeneration(message);
        return span ?? throw new MaskingException(
            line,
            message,
            "the chat template does not show where this answer begins and where it ends with a token that stops the model. "
            + $"Its turns must end with one of the model's stop tokens ({string.Join(", ", special.StopIds.Select(id => tokenizer.IdToToken(id) ?? $"{id}"))}) "
            + "or another special token, and with add_generation_prompt it must write the beginning of an answer.");
    }

    // The plain case: text up to the answer, and text up to and with the answer, are beginnings of the whole text.
    private (int Start, int End)? FromBeginnings(int message)
    {
        string? before = TryRender(_messages[..message], prompt: true);
        string? with = message + 1 == _messages.Count ? Text : TryRender(_messages[..(message + 1)], prompt: false);
        if (before is null || with is null || !Text.StartsWith(with, StringComparison.Ordinal) || !with.StartsWith(before, StringComparison.Ordinal))
        {
            return null;
        }

        return EndInside(before.Length, with.Length, message) is int end ? (before.Length, end) : null;
    }

    // The end-of-turn token behind which only white space and further such tokens follow up to the end of the turn's text.
    private int? EndInside(int start, int end, int message)
    {
        List<int> enders = [];
        for (int t = Encoding.Ids.Length - 1; t >= 0 && Encoding.Starts[t] >= start; t--)
        {
            if (Encoding.Ends[t] > end)
            {
                // Only a token that swallows the white space behind it reaches over the end.
                if (Encoding.Starts[t] < end && IsEnder(t))
                {
                    enders.Add(t);
                }

                continue;
            }

            if (IsEnder(t))
            {
                enders.Add(t);
            }
            else if (!IsBlank(t))
            {
                break;
            }
        }

        enders.Reverse();
        return enders.Count switch
        {
            0 => StopBehind(end),
            1 => Encoding.Ends[enders[0]],
            _ => Encoding.Ends[FirstBehindContent(enders, message)],
        };
    }

    // Several such tokens in a row: the answer may itself end with one, or the template may write one more at the very end.
    private int FirstBehindContent(List<int> enders, int message)
    {
        int contentEnd = Difference(message, Answer())?.ContentEnd ?? -1;
        List<int> behind = contentEnd < 0 ? [] : enders.FindAll(t => Encoding.Ends[t] > contentEnd);
        if (behind.Count == 0)
        {
            return enders.FindLastIndex(IsStop) is >= 0 and int last ? enders[last] : enders[^1];
        }

        return behind.FindIndex(IsStop) is >= 0 and int first ? behind[first] : behind[0];
    }

    // Some templates end a turn with nothing but the beginning of the next one, and the model stops there.
    private int? StopBehind(int end)
    {
        for (int t = 0; t < Encoding.Ids.Length; t++)
        {
            if (Encoding.Starts[t] >= end && !IsBlank(t))
            {
                return IsStop(t) ? Encoding.Ends[t] : null;
            }
        }

        return null;
    }

    // The answer replaced by a mark: what stays the same before and after is not the answer.
    private (int Start, int End)? FromMark(int message)
    {
        if (Difference(message, Answer()) is { } plain && StartOf(message, plain) is int start
            && EndBehind(plain.ContentEnd, Limit(message), mustBeNext: true) is int end && !HasStop(start, plain.ContentEnd))
        {
            return (start, end);
        }

        // With its calls kept, for templates that want each result to have one.
        DictValue kept = ((DictValue)_messages[message]!).Copy();
        kept.Set("content", Mark);
        return Difference(message, kept) is { } marked && StartOf(message, marked) is int first
            && EndBehind(marked.ContentEnd, Limit(message), mustBeNext: false) is int last && !HasStop(first, marked.ContentEnd)
                ? (first, last)
                : null;
    }

    // A stop token inside what should be one answer: then what differs is more than that answer.
    private bool HasStop(int start, int end)
    {
        for (int t = 0; t < Encoding.Ids.Length; t++)
        {
            if (Encoding.Starts[t] >= start && Encoding.Ends[t] <= end && IsStop(t))
            {
                return true;
            }
        }

        return false;
    }

    // Where the generation prompt ends that stands before the mark.
    private int? StartOf(int message, Marked marked)
    {
        string before = marked.Text[..marked.At];
        string prompt = GenerationPrompt(message);
        int previous = message > 0 && Replaced(message - 1) is DictValue earlier ? Difference(message - 1, earlier)?.ContentEnd ?? -1 : 0;
        if (prompt.Length == 0 || previous < 0)
        {
            return null;
        }

        int at = before.LastIndexOf(prompt, StringComparison.Ordinal);
        if (at >= 0 && at + prompt.Length >= previous && at + prompt.Length <= marked.Same)
        {
            return at + prompt.Length;
        }

        // The prompt may go on where the whole conversation does not, with the beginning of thoughts.
        for (int length = prompt.Length - 1; length > 0; length--)
        {
            bool isBoundary = prompt[length] == '<' || prompt[length - 1] == '>' || char.IsWhiteSpace(prompt[length - 1]);
            if (isBoundary && before.EndsWith(prompt[..length], StringComparison.Ordinal))
            {
                return marked.Same >= marked.At && marked.At - length >= previous ? marked.At : null;
            }
        }

        return null;
    }

    // What add_generation_prompt adds: here, or if the template refuses that beginning, behind a question.
    private string GenerationPrompt(int message)
    {
        DictValue question = new();
        question.Set("role", "user");
        question.Set("content", "a");
        foreach (List<object?> messages in (List<object?>[])[_messages[..message], [question]])
        {
            if (TryRender(messages, prompt: true) is string with && TryRender(messages, prompt: false) is string without)
            {
                return with[with.AsSpan().CommonPrefixLength(without)..];
            }
        }

        return "";
    }

    // The token that ends the turn: the next one that is not white space, or else the next stop token.
    private int? EndBehind(int contentEnd, int limit, bool mustBeNext)
    {
        for (int t = 0; t < Encoding.Ids.Length && Encoding.Starts[t] < limit; t++)
        {
            if (Encoding.Ends[t] <= contentEnd || (mustBeNext && IsBlank(t) && !IsEnder(t)))
            {
                continue;
            }

            if (mustBeNext ? IsEnder(t) : IsStop(t))
            {
                return Encoding.Ends[t];
            }

            if (mustBeNext)
            {
                return null;
            }
        }

        return null;
    }

    // Where the content of the next message begins: an answer cannot end behind it.
    private int Limit(int message) => message + 1 == _messages.Count
        ? Text.Length
        : Replaced(message + 1) is DictValue next && Difference(message + 1, next) is { } marked ? marked.Same : 0;

    // The blocks that the template itself marks as generated, if there is one for each answer and each has its exact place.
    private (int Start, int End)? FromGeneration(int message)
    {
        int answers = _messages.Count(IsAnswer);
        if (_generated.Count != answers || !_generated.All(s => s.IsExact) || _generated.Any(s => s.Utf16End > Text.Length))
        {
            return null;
        }

        GeneratedSpan span = _generated[_messages[..message].Count(IsAnswer)];
        int? end = EndInside(span.Utf16Start, span.Utf16End, message) ?? EndBehind(span.Utf16End, Text.Length, mustBeNext: true);
        return end is int e ? (span.Utf16Start, e) : null;
    }

    private static bool IsAnswer(object? message) => message is DictValue dict && dict.TryGet("role", out object? role) && role is "assistant";

    private static DictValue Answer()
    {
        DictValue answer = new();
        answer.Set("role", "assistant");
        answer.Set("content", Mark);
        return answer;
    }

    // A message with a mark for its content; an answer with nothing else, so that calls and thoughts are gone too.
    private DictValue? Replaced(int message)
    {
        if (IsAnswer(_messages[message]))
        {
            return Answer();
        }

        DictValue? copy = (_messages[message] as DictValue)?.Copy();
        copy?.Set("content", Mark);
        return copy;
    }

    // How the text differs when one message is another one with the mark in it.
    private Marked? Difference(int message, DictValue other)
    {
        List<object?> messages = [.. _messages];
        messages[message] = other;
        string? text = TryRender(messages, prompt: false);
        int at = text?.IndexOf(Mark, StringComparison.Ordinal) ?? -1;
        if (text is null || at < 0 || text.LastIndexOf(Mark, StringComparison.Ordinal) != at || Text.Contains(Mark, StringComparison.Ordinal))
        {
            return null;
        }

        int same = Text.AsSpan().CommonPrefixLength(text);
        int most = Math.Min(Text.Length - same, text.Length - at - Mark.Length);
        int sameEnd = 0;
        while (sameEnd < most && Text[^(sameEnd + 1)] == text[^(sameEnd + 1)])
        {
            sameEnd++;
        }

        return same <= at ? new Marked(text, at, same, Text.Length - sameEnd) : null;
    }

    private bool IsStop(int token) => special.StopIds.Contains(Encoding.Ids[token]);

    private bool IsEnder(int token) => IsStop(token) || tokenizer.IsSpecial(Encoding.Ids[token]);

    private bool IsBlank(int token) => Text.AsSpan(Encoding.Starts[token], Encoding.Ends[token] - Encoding.Starts[token]).IsWhiteSpace();

    private string? TryRender(List<object?> messages, bool prompt)
    {
        try
        {
            return RenderChat(messages, prompt).Text;
        }
        catch (TemplateException e) when (e.Fault != TemplateFault.Limit)
        {
            return null;
        }
    }

    private RenderedChat RenderChat(List<object?> messages, bool prompt)
    {
        _inputs["messages"] = messages;
        _inputs["add_generation_prompt"] = prompt;
        return template.RenderWith(_inputs, now);
    }

    /// <summary>A rendering with the mark in place of a message's content.</summary>
    /// <param name="Text">That rendering.</param>
    /// <param name="At">Where the mark stands in it.</param>
    /// <param name="Same">Length of the common beginning with the conversation's own text.</param>
    /// <param name="ContentEnd">Where the common ending begins in the conversation's own text.</param>
    private sealed record Marked(string Text, int At, int Same, int ContentEnd);
}
