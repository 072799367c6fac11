using System.Globalization;
using System.Text.Json.Nodes;
using Anneal.Engine.Text;
using Anneal.Engine.Text.Jinja;

namespace Anneal.Engine.Tests.Text;

/// <summary>Runs the cases of a folder of chat templates: NAME.jinja with NAME.cases.jsonl, and jinja-language.jsonl.</summary>
internal static class TemplateCases
{
    /// <summary>Runs all cases of a template, or of the language file, and gives one line for each that differs.</summary>
    public static List<string> Run(string casesFile)
    {
        string templateFile = casesFile.Replace(".cases.jsonl", ".jinja", StringComparison.Ordinal);
        string? template = templateFile != casesFile ? System.Text.Encoding.UTF8.GetString(File.ReadAllBytes(templateFile)) : null;
        List<string> faults = [];
        int line = 0;
        foreach (string text in File.ReadLines(casesFile))
        {
            line++;
            JsonObject c = JsonNode.Parse(text)!.AsObject();
            string? fault = Check(c, () => template is null ? RenderLanguage(c) : RenderChat(c, template));
            if (fault is not null)
            {
                faults.Add($"{Path.GetFileName(casesFile)} line {line}: {(string?)c["template"] ?? (string?)c["name"]}\n    {fault}");
            }
        }

        return faults;
    }

    private static RenderedChat RenderLanguage(JsonObject c) => ChatTemplate.Parse((string)c["template"]!)
        .RenderWith(c["context"]!.AsObject().ToDictionary(p => p.Key, p => JsonValues.From(p.Value)), DateTimeOffset.UnixEpoch);

    private static RenderedChat RenderChat(JsonObject c, string template)
    {
        DateTimeOffset now = c["now"] is JsonNode time
            ? new DateTimeOffset(DateTime.Parse((string)time!, CultureInfo.InvariantCulture), TimeSpan.Zero)
            : DateTimeOffset.UnixEpoch;
        Dictionary<string, JsonNode?> variables = c["kwargs"]!.AsObject().ToDictionary(p => p.Key, p => p.Value);
        return ChatTemplate.Parse(template).Render(c["messages"]!.AsArray(), c["tools"], (bool)c["add_generation_prompt"]!, variables, now);
    }

    private static string? Check(JsonObject c, Func<RenderedChat> render)
    {
        string? expected = (string?)c["rendered"];
        string? errorType = (string?)c["error_type"];
        RenderedChat chat;
        try
        {
            chat = render();
        }
        catch (Exception e) when (e is TemplateException or TemplateSyntaxException)
        {
            return expected is not null ? $"unexpected {e.GetType().Name}: {e.Message}" : CheckError(e, errorType!, (string)c["error"]!);
        }

        if (expected is null)
        {
            return $"rendered {Quoted(chat.Text)}, expected {errorType}: {c["error"]}";
        }

        if (chat.Text != expected)
        {
            return $"got      {Quoted(chat.Text)}\n    expected {Quoted(expected)}";
        }

        if (!c.ContainsKey("generation_spans"))
        {
            return null;
        }

        string spans = string.Join(' ', chat.GenerationSpans);
        string expectedSpans = string.Join(' ', (c["generation_spans"] as JsonArray ?? []).Select(s => ((int)s![0]!, (int)s[1]!)));
        return spans == expectedSpans ? null : $"spans {spans}, expected {expectedSpans}";
    }

    private static string? CheckError(Exception e, string type, string message)
    {
        bool right = type switch
        {
            "TemplateError" => e is TemplateException { Fault: TemplateFault.Raised } && e.Message == message,
            "TemplateSyntaxError" or "SyntaxError" => e is TemplateSyntaxException { IsAssertion: false },
            "TemplateAssertionError" => e is TemplateSyntaxException { IsAssertion: true },
            "UndefinedError" => e is TemplateException { Fault: TemplateFault.Undefined },
            "SecurityError" => e is TemplateException { Fault: TemplateFault.Security },
            "TypeError" => e is TemplateException { Fault: TemplateFault.Type },
            "ZeroDivisionError" => e is TemplateException { Fault: TemplateFault.ZeroDivision },
            _ => e is TemplateException,
        };
        return right ? null : $"failed with {e.GetType().Name} {(e as TemplateException)?.Fault}: {e.Message}\n    expected {type}: {message}";
    }

    private static string Quoted(string text) => JsonValue.Create(text).ToJsonString();
}
