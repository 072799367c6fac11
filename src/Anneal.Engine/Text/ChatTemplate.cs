using System.Text.Json.Nodes;
using Anneal.Engine.Text.Jinja;

namespace Anneal.Engine.Text;

/// <summary>
/// A model's chat template: Jinja as transformers renders it (<c>trim_blocks</c>, <c>lstrip_blocks</c>, loop controls,
/// <c>{% generation %}</c>, an immutable sandbox), with the results of Jinja2 3.1 to the byte.
/// </summary>
/// <remarks>Instances are immutable and may be used from several threads.</remarks>
public sealed class ChatTemplate
{
    private readonly IReadOnlyList<Statement> _body;
    private readonly TemplateLimits _limits;
    private readonly Lazy<bool> _takesArgumentsAsText;

    private ChatTemplate(string source, IReadOnlyList<Statement> body, TemplateLimits limits)
    {
        Source = source;
        _body = body;
        _limits = limits;
        _takesArgumentsAsText = new Lazy<bool>(FindArgumentForm);
    }

    /// <summary>The template's text as it was given.</summary>
    public string Source { get; }

    /// <summary>Parses a template.</summary>
    /// <param name="source">The text, line ends as they are in the file.</param>
    /// <param name="limits">What a rendering may use; <see cref="TemplateLimits.Default"/> if null.</param>
    /// <exception cref="TemplateSyntaxException">The template is not valid; the message names the fault and the line.</exception>
    public static ChatTemplate Parse(string source, TemplateLimits? limits)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new ChatTemplate(source, Parser.Parse(source), limits ?? TemplateLimits.Default);
    }

    /// <summary>Parses a template with <see cref="TemplateLimits.Default"/>.</summary>
    /// <exception cref="TemplateSyntaxException">The template is not valid; the message names the fault and the line.</exception>
    public static ChatTemplate Parse(string source) => Parse(source, null);

    /// <summary>Renders a conversation.</summary>
    /// <param name="messages">The messages, as <c>messages</c>; they are not changed.</param>
    /// <param name="tools">A list of tools, as <c>tools</c>; none if null.</param>
    /// <param name="addGenerationPrompt">Whether the text is to end with the beginning of an answer.</param>
    /// <param name="variables">More variables: <c>bos_token</c>, <c>documents</c>, <c>enable_thinking</c> and so on.</param>
    /// <param name="now">The time that <c>strftime_now</c> sees; its clock, not its offset, is what is printed.</param>
    /// <exception cref="TemplateException">The template refuses these messages, fails on them, or reaches a limit.</exception>
    public RenderedChat Render(
        JsonArray messages, JsonNode? tools, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonNode?> variables, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(variables);
        Dictionary<string, object?> inputs = new(StringComparer.Ordinal) { ["documents"] = null };
        foreach ((string name, JsonNode? value) in variables)
        {
            inputs[name] = JsonValues.From(value);
        }

        inputs["messages"] = JsonValues.FromMessages(messages);
        inputs["tools"] = JsonValues.From(tools);
        inputs["add_generation_prompt"] = addGenerationPrompt;
        return RenderWith(inputs, now);
    }

    /// <summary>
    /// Whether the template puts the arguments of a call into the text as they are, so that they must be text. Most write
    /// them with <c>tojson</c> and want an object; which one it is shows in what it makes of an example.
    /// </summary>
    internal bool TakesArgumentsAsText => _takesArgumentsAsText.Value;

    /// <summary>Renders with exactly these variables.</summary>
    internal RenderedChat RenderWith(IReadOnlyDictionary<string, object?> inputs, DateTimeOffset now)
    {
        Renderer renderer = new(_limits, inputs, now.DateTime);
        string text = renderer.Run(_body);
        return new RenderedChat(text, renderer.Spans);
    }

    private bool FindArgumentForm()
    {
        string? withObject = TryCall(new JsonObject { ["key"] = "value" });

        // An object that is printed and not written as JSON shows Python's quotes.
        bool isPrinted = withObject?.Contains("'key'", StringComparison.Ordinal) != false;
        return isPrinted && TryCall("{\"key\": \"value\"}") is not null;
    }

    private string? TryCall(JsonNode arguments)
    {
        JsonObject function = new() { ["name"] = "f", ["arguments"] = arguments };
        JsonArray messages =
        [
            new JsonObject { ["role"] = "user", ["content"] = "q" },
            new JsonObject
            {
                ["role"] = "assistant",
                ["content"] = "",
                ["tool_calls"] = new JsonArray(new JsonObject { ["id"] = "call00000", ["type"] = "function", ["function"] = function }),
            },
        ];
        try
        {
            return Render(messages, null, false, new Dictionary<string, JsonNode?> { ["bos_token"] = "", ["eos_token"] = "" }, DateTimeOffset.UnixEpoch).Text;
        }
        catch (TemplateException)
        {
            return null;
        }
    }
}

/// <summary>A conversation as text.</summary>
public sealed class RenderedChat
{
    internal RenderedChat(string text, IReadOnlyList<GeneratedSpan> spans)
    {
        Text = text;
        Spans = spans;
    }

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>
    /// Start and end of every <c>{% generation %}</c> block, in code points of <see cref="Text"/>, in order. As in
    /// transformers a block inside a macro stands where the macro's own text has not been written yet.
    /// </summary>
    public IReadOnlyList<(int Start, int End)> GenerationSpans => [.. Spans.Select(s => (s.Start, s.End))];

    /// <summary>The same with positions in UTF-16, and whether the place is exact.</summary>
    internal IReadOnlyList<GeneratedSpan> Spans { get; }
}
