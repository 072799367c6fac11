using System.Text.Json;
using System.Text.Json.Nodes;

namespace Anneal.Engine.Text;

/// <summary>
/// Messages of OpenAI's API as chat templates expect them. Training and serving both go through here, so that a model meets
/// in service what it was trained on.
/// </summary>
public static class ChatMessages
{
    /// <summary>
    /// A copy of the messages for a template: without <c>weight</c>; text parts as one text; the arguments of calls as an
    /// object where the template takes one; a refusal as the content it stands for; the deprecated <c>function_call</c> and
    /// role <c>function</c> as a call and its result.
    /// </summary>
    /// <param name="messages">Messages as in the API. They are not changed.</param>
    /// <param name="template">The template that will render them.</param>
    public static JsonArray ForTemplate(JsonArray messages, ChatTemplate template)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(template);
        JsonArray copy = [];
        foreach (JsonNode? message in messages)
        {
            JsonNode? converted = message is JsonObject json ? Convert(json, template) : message?.DeepClone();
            copy.Add(converted);
        }

        return copy;
    }

    /// <summary>The list of tools for a template, from <c>tools</c> or the deprecated <c>functions</c>; null if there are none.</summary>
    public static JsonArray? Tools(JsonNode? tools, JsonNode? functions)
    {
        JsonArray list = [];
        foreach (JsonNode? tool in tools as JsonArray ?? [])
        {
            list.Add(tool?.DeepClone());
        }

        foreach (JsonNode? function in functions as JsonArray ?? [])
        {
            list.Add((JsonNode?)new JsonObject { ["type"] = "function", ["function"] = function?.DeepClone() });
        }

        return list.Count > 0 ? list : null;
    }

    private static JsonObject Convert(JsonObject message, ChatTemplate template)
    {
        JsonObject copy = message.DeepClone().AsObject();
        copy.Remove("weight");
        if (copy["content"] is JsonArray parts && TextOf(parts) is string text)
        {
            copy["content"] = text;
        }

        if (copy["content"] is null && copy["refusal"] is JsonValue refusal)
        {
            copy["content"] = refusal.DeepClone();
        }

        if (copy["function_call"] is JsonObject call)
        {
            copy.Remove("function_call");
            copy["tool_calls"] = new JsonArray(new JsonObject { ["type"] = "function", ["function"] = call.DeepClone() });
        }

        if (copy["role"] is JsonValue role && role.TryGetValue(out string? name) && name == "function")
        {
            copy["role"] = "tool";
        }

        if (!template.TakesArgumentsAsText)
        {
            ParseArguments(copy["tool_calls"] as JsonArray ?? []);
        }

        return copy;
    }

    // All parts as one text; null if one of them is not text.
    private static string? TextOf(JsonArray parts)
    {
        string text = "";
        foreach (JsonNode? part in parts)
        {
            JsonNode? content = part is JsonObject json ? json["text"] ?? json["refusal"] : null;
            string? piece = content is JsonValue value && value.TryGetValue(out string? s) ? s : null;
            if (piece is null)
            {
                return null;
            }

            text += piece;
        }

        return text;
    }

    private static void ParseArguments(JsonArray calls)
    {
        foreach (JsonNode? call in calls)
        {
            if (call?["function"] is JsonObject function && function["arguments"] is JsonValue value
                && value.TryGetValue(out string? text) && ParseObject(text) is JsonObject arguments)
            {
                function["arguments"] = arguments;
            }
        }
    }

    private static JsonObject? ParseObject(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            // Models write arguments that are no JSON; the API lets them pass as they are.
            return null;
        }
    }
}
