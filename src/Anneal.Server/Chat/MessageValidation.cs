using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Server.Http;

namespace Anneal.Server.Chat;

/// <summary>
/// Checks the messages of a conversation and puts them into the one form that chat templates read: roles as given, contents as
/// plain strings (text parts joined), tool calls as they are.
/// </summary>
internal static class MessageValidation
{
    private static readonly string[] Roles = ["developer", "system", "user", "assistant", "tool", "function"];

    /// <summary>The conversation, or null and faults.</summary>
    public static JsonArray? Read(RequestFields fields)
    {
        if (fields.Array("messages", required: true, itemsMin: 1) is not JsonElement given)
        {
            return null;
        }
        JsonArray messages = [];
        foreach ((int index, JsonElement item) in given.EnumerateArray().Index())
        {
            if (fields.Object(item, $"messages[{index}]") is RequestFields message && ReadMessage(message) is JsonObject read)
            {
                messages.Add((JsonNode)read);
            }
        }
        return messages;
    }

    private static JsonObject? ReadMessage(RequestFields message)
    {
        string? role = message.Choice("role", Roles, required: true);
        if (role is null)
        {
            // What else the message may hold depends on its role.
            return null;
        }
        JsonObject read = new() { ["role"] = role };
        bool assistant = role == "assistant";
        bool hasCalls = assistant && (message.Raw("tool_calls") is not null || message.Raw("function_call") is not null);
        string? refusal = assistant ? message.String("refusal") : null;
        bool contentRequired = role is not "function" && !hasCalls && refusal is null;
        read["content"] = ReadContent(message, role, contentRequired) ?? refusal;
        if (role != "tool" && message.String("name", required: role == "function", charsMin: 1) is string name)
        {
            read["name"] = name;
        }
        if (role == "tool" && message.String("tool_call_id", required: true, charsMin: 1) is string callId)
        {
            read["tool_call_id"] = callId;
        }
        if (assistant)
        {
            ReadCalls(message, read);
            message.RejectUnsupported("needs audio, which is not available on this server.", "audio");
        }
        message.RejectUnknown();
        return read;
    }

    private static string? ReadContent(RequestFields message, string role, bool required)
    {
        JsonElement? content = required ? message.Required("content") : message.Raw("content");
        if (content is not JsonElement given)
        {
            return null;
        }
        string at = message.PathOf("content");
        if (given.ValueKind == JsonValueKind.String)
        {
            return message.Text(given, at);
        }
        if (given.ValueKind != JsonValueKind.Array)
        {
            message.WrongType(at, "a string or an array of content parts", given);
            return null;
        }
        if (message.Array("content", itemsMin: 1) is null)
        {
            return null;
        }
        StringBuilder text = new();
        foreach ((int index, JsonElement part) in given.EnumerateArray().Index())
        {
            if (message.Object(part, $"{at}[{index}]") is RequestFields fields)
            {
                text.Append(ReadPart(fields, role));
            }
        }
        return text.ToString();
    }

    private static string? ReadPart(RequestFields part, string role)
    {
        string[] types = role switch
        {
            "user" => ["text", "image_url", "input_audio", "file"],
            "assistant" => ["text", "refusal"],
            _ => ["text"],
        };
        string? type = part.Choice("type", types, required: true);
        switch (type)
        {
            case null:
                return null;
            case "text" or "refusal":
                string? text = part.String(type, required: true);
                part.AcceptAndIgnore("prompt_cache_breakpoint");
                part.RejectUnknown();
                return text;
            default:
                part.Faults.Add(
                    $"Unsupported value: '{part.PathOf("type")}' does not support '{type}' on this server, whose models read text only.",
                    part.PathOf("type"), "unsupported_value");
                return null;
        }
    }

    private static void ReadCalls(RequestFields message, JsonObject read)
    {
        if (message.Array("tool_calls", itemsMin: 1) is JsonElement calls)
        {
            JsonArray list = [];
            foreach ((int index, JsonElement item) in calls.EnumerateArray().Index())
            {
                if (message.Object(item, $"{message.PathOf("tool_calls")}[{index}]") is RequestFields call)
                {
                    list.Add((JsonNode?)ReadToolCall(call));
                }
            }
            read["tool_calls"] = list;
        }
        if (message.Object("function_call") is RequestFields function)
        {
            read["function_call"] = ReadFunction(function);
        }
    }

    private static JsonObject? ReadToolCall(RequestFields call)
    {
        string? id = call.String("id", required: true, charsMin: 1);
        string? type = call.Choice("type", ["function"], required: true);
        RequestFields? function = call.Object("function", required: true);
        JsonObject? read = function is null ? null : ReadFunction(function);
        call.RejectUnknown();
        return new JsonObject { ["id"] = id, ["type"] = type, ["function"] = read };
    }

    private static JsonObject ReadFunction(RequestFields function)
    {
        JsonObject read = new()
        {
            ["name"] = function.String("name", required: true, charsMin: 1),
            ["arguments"] = function.String("arguments", required: true),
        };
        function.RejectUnknown();
        return read;
    }
}
