using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Anneal.Engine.Data;

/// <summary>Holds one line against OpenAI's schema of supervised chat examples and notes every fault.</summary>
internal sealed class ChatLineCheck(int line, List<DataFault> faults)
{
    private const string Roles = "system, developer, user, assistant, tool or function";

    private static readonly FrozenSet<string> LineKeys = FrozenSet.ToFrozenSet(["messages", "tools", "parallel_tool_calls", "functions"]);

    private static readonly FrozenDictionary<string, string[]> MessageKeys = new Dictionary<string, string[]>
    {
        ["system"] = ["role", "content", "name"],
        ["developer"] = ["role", "content", "name"],
        ["user"] = ["role", "content", "name"],
        ["assistant"] = ["role", "content", "name", "refusal", "tool_calls", "function_call", "audio", "weight", "reasoning_content"],
        ["tool"] = ["role", "content", "tool_call_id", "name"],
        ["function"] = ["role", "content", "name"],
    }.ToFrozenDictionary();

    /// <summary>Checks a line.</summary>
    public void Check(JsonObject json)
    {
        if (IsOtherFormat(json))
        {
            return;
        }

        CheckKeys(json, "", LineKeys, "");
        JsonArray? messages = Require<JsonArray>(json, "messages", "", "", "a list of messages");
        if (messages is { Count: 0 })
        {
            Add("/messages", DataFaultCodes.EmptyList, "'messages' is empty; an example needs at least a user and an assistant message.");
        }

        for (int i = 0; i < messages?.Count; i++)
        {
            CheckMessage(messages[i], i);
        }

        if (messages is { Count: > 0 } && !messages.Any(m => RoleOf(m) == "assistant"))
        {
            Add("/messages", DataFaultCodes.NoAssistantMessage,
                "there is no message of the role 'assistant'; the model learns from what the assistant says, so at least one is needed.");
        }

        if (json["parallel_tool_calls"] is JsonNode parallel && parallel.GetValueKind() is not (JsonValueKind.True or JsonValueKind.False))
        {
            WrongType("/parallel_tool_calls", "", "parallel_tool_calls", parallel, "true or false");
        }

        CheckTools(json);
    }

    // Lines of the other methods get their name, not a list of what is wrong with them as chats.
    private bool IsOtherFormat(JsonObject json)
    {
        string? what = null;
        if (!json.ContainsKey("messages"))
        {
            what = json.ContainsKey("prompt") && json.ContainsKey("completion")
                ? "this is a prompt/completion pair, the format for completion models. Supervised tuning here takes chats: write "
                    + "{\"messages\": [{\"role\": \"user\", \"content\": PROMPT}, {\"role\": \"assistant\", \"content\": COMPLETION}]}."
                : json.ContainsKey("preferred_output") || json.ContainsKey("non_preferred_output")
                    || json.ContainsKey("preferred_completion") || json.ContainsKey("non_preferred_completion")
                    ? "this is a preference pair of the method 'dpo', which the method 'supervised' does not take. For supervised tuning "
                        + "write {\"messages\": [… input messages …, the preferred output]}."
                    : null;
        }
        else if (json["messages"] is JsonArray { Count: > 0 } messages && RoleOf(messages[^1]) == "user"
            && !messages.Any(m => RoleOf(m) == "assistant") && json.Any(p => !LineKeys.Contains(p.Key)))
        {
            what = "this looks like a line of the method 'reinforcement' (a conversation that ends with the user, and keys for a grader), "
                + "which the method 'supervised' does not take. For supervised tuning end with the assistant's answer and leave out the other keys.";
        }

        if (what is not null)
        {
            Add("", DataFaultCodes.UnsupportedFormat, what);
        }

        return what is not null;
    }

    private void CheckMessage(JsonNode? node, int index)
    {
        string pointer = $"/messages/{index}";
        string where = $"message {index + 1}: ";
        if (node is not JsonObject message)
        {
            WrongType(pointer, where, "the message", node, "an object with 'role' and 'content'");
            return;
        }

        if (!message.ContainsKey("role"))
        {
            Add($"{pointer}/role", DataFaultCodes.MissingKey, $"{where}Discriminator 'role' is missing in value; give one of {Roles}.");
            return;
        }

        string? role = RoleOf(message);
        if (role is null || !MessageKeys.TryGetValue(role, out string[]? keys))
        {
            Add($"{pointer}/role", role is null ? DataFaultCodes.InvalidType : DataFaultCodes.InvalidValue,
                $"{where}'role' is {Show(message["role"])}; it must be one of {Roles}.");
            return;
        }

        foreach ((string key, JsonNode? value) in message.Where(p => !keys.Contains(p.Key)))
        {
            Add($"{pointer}/{LineJson.Escape(key)}", key == "weight" ? DataFaultCodes.InvalidWeight : DataFaultCodes.UnknownKey, key == "weight"
                ? $"{where}'weight' stands on a message of the role '{role}'; only assistant messages are trained and can have one."
                : $"{where}'{key}' is no key of a message of the role '{role}'; allowed are {string.Join(", ", keys)}.");
        }

        CheckContent(message, pointer, where, role);
        if (role == "function" || message["name"] is not null)
        {
            Require<string>(message, "name", pointer, where, "a string");
        }

        if (role == "tool")
        {
            Require<string>(message, "tool_call_id", pointer, where, "the id of the call that it answers, a string");
        }

        if (role == "assistant")
        {
            CheckAnswer(message, pointer, where);
        }
    }

    private void CheckContent(JsonObject message, string pointer, string where, string role)
    {
        JsonNode? content = message["content"];
        if (content is null)
        {
            bool mayLack = role == "assistant"
                ? message["tool_calls"] is not null || message["function_call"] is not null || message["refusal"] is not null
                : role == "function" && message.ContainsKey("content");
            if (!mayLack)
            {
                Add($"{pointer}/content", message.ContainsKey("content") ? DataFaultCodes.InvalidType : DataFaultCodes.MissingKey, role == "assistant"
                    ? $"{where}'content' is {(message.ContainsKey("content") ? "null" : "missing")}; an assistant message needs "
                        + "content, tool_calls, function_call or a refusal."
                    : $"{where}'content' is {(message.ContainsKey("content") ? "null" : "missing")}; it must be a string.");
            }

            return;
        }

        if (content is JsonArray parts)
        {
            if (parts.Count == 0)
            {
                Add($"{pointer}/content", DataFaultCodes.EmptyList, $"{where}'content' is an empty list; give a string or at least one part.");
            }

            for (int i = 0; i < parts.Count; i++)
            {
                CheckPart(parts[i], $"{pointer}/content/{i}", $"{where}content part {i + 1}: ", role);
            }
        }
        else if (content.GetValueKind() != JsonValueKind.String)
        {
            WrongType($"{pointer}/content", where, "content", content, "a string or a list of parts");
        }
    }

    private void CheckPart(JsonNode? node, string pointer, string where, string role)
    {
        if (node is not JsonObject part)
        {
            WrongType(pointer, where, "the part", node, "an object such as {\"type\": \"text\", \"text\": \"…\"}");
            return;
        }

        string? type = Require<string>(part, "type", pointer, where, "'text'");
        switch (type)
        {
            case null:
                return;
            case "text":
                CheckKeys(part, pointer, ["type", "text", "prompt_cache_breakpoint"], where);
                Require<string>(part, "text", pointer, where, "a string");
                return;
            case "refusal" when role == "assistant":
                CheckKeys(part, pointer, ["type", "refusal"], where);
                Require<string>(part, "refusal", pointer, where, "a string");
                return;
            case "image_url" or "input_audio" or "file" or "image":
                Add($"{pointer}/type", DataFaultCodes.UnsupportedContent, $"{where}parts of the type '{type}' are not supported; models here read text.");
                return;
            default:
                Add($"{pointer}/type", DataFaultCodes.InvalidValue, $"{where}'{type}' is no type of content part; it must be 'text'.");
                return;
        }
    }

    private void CheckAnswer(JsonObject message, string pointer, string where)
    {
        if (message.ContainsKey("weight"))
        {
            bool isRight = message["weight"] is JsonValue weight && weight.GetValueKind() == JsonValueKind.Number
                && double.TryParse(weight.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture, out double w) && w is 0 or 1;
            if (!isRight)
            {
                Add(
                    $"{pointer}/weight", DataFaultCodes.InvalidWeight,
                    $"{where}'weight' is {Show(message["weight"])}; it must be 0 (do not train) or 1 (train).");
            }
        }

        if (message["refusal"] is not null)
        {
            Require<string>(message, "refusal", pointer, where, "a string or null");
        }

        if (message["reasoning_content"] is not null)
        {
            Require<string>(message, "reasoning_content", pointer, where, "a string or null");
        }

        if (message["audio"] is not null)
        {
            Add($"{pointer}/audio", DataFaultCodes.UnsupportedContent, $"{where}audio is not supported; models here write text.");
        }

        if (message["tool_calls"] is not null && Require<JsonArray>(message, "tool_calls", pointer, where, "a list of calls") is JsonArray calls)
        {
            if (calls.Count == 0)
            {
                Add($"{pointer}/tool_calls", DataFaultCodes.EmptyList, $"{where}'tool_calls' is empty; leave it out if nothing is called.");
            }

            for (int i = 0; i < calls.Count; i++)
            {
                CheckCall(calls[i], $"{pointer}/tool_calls/{i}", $"{where}tool call {i + 1}: ");
            }
        }

        if (message["function_call"] is not null
            && Require<JsonObject>(message, "function_call", pointer, where, "an object with 'name' and 'arguments'") is JsonObject function)
        {
            CheckFunctionCall(function, $"{pointer}/function_call", $"{where}function call: ");
        }
    }

    private void CheckCall(JsonNode? node, string pointer, string where)
    {
        if (node is not JsonObject call)
        {
            WrongType(pointer, where, "the call", node, "an object with 'id', 'type' and 'function'");
            return;
        }

        CheckKeys(call, pointer, ["id", "type", "function"], where);
        Require<string>(call, "id", pointer, where, "a string");
        string? type = Require<string>(call, "type", pointer, where, "'function'");
        if (type is not (null or "function"))
        {
            Add($"{pointer}/type", DataFaultCodes.InvalidValue, $"{where}'type' is '{type}'; it must be 'function'.");
        }

        if (Require<JsonObject>(call, "function", pointer, where, "an object with 'name' and 'arguments'") is JsonObject function)
        {
            CheckFunctionCall(function, $"{pointer}/function", where);
        }
    }

    private void CheckFunctionCall(JsonObject function, string pointer, string where)
    {
        CheckKeys(function, pointer, ["name", "arguments"], where);
        Require<string>(function, "name", pointer, where, "a string");
        Require<string>(function, "arguments", pointer, where, "JSON as a string, such as \"{\\\"city\\\": \\\"Graz\\\"}\"");
    }

    private void CheckTools(JsonObject json)
    {
        if (json["tools"] is not null && Require<JsonArray>(json, "tools", "", "", "a list of tools") is JsonArray tools)
        {
            for (int i = 0; i < tools.Count; i++)
            {
                CheckTool(tools[i], $"/tools/{i}", $"tool {i + 1}: ");
            }
        }

        if (json["functions"] is not null && Require<JsonArray>(json, "functions", "", "", "a list of functions") is JsonArray functions)
        {
            if (functions.Count is 0 or > 128)
            {
                Add("/functions", functions.Count == 0 ? DataFaultCodes.EmptyList : DataFaultCodes.InvalidValue,
                    $"'functions' has {functions.Count} elements; it must have 1 to 128.");
            }

            for (int i = 0; i < functions.Count; i++)
            {
                CheckFunction(functions[i], $"/functions/{i}", $"function {i + 1}: ");
            }
        }
    }

    private void CheckTool(JsonNode? node, string pointer, string where)
    {
        if (node is not JsonObject tool)
        {
            WrongType(pointer, where, "the tool", node, "an object with 'type' and 'function'");
            return;
        }

        CheckKeys(tool, pointer, ["type", "function"], where);
        string? type = Require<string>(tool, "type", pointer, where, "'function'");
        if (type is not (null or "function"))
        {
            Add($"{pointer}/type", DataFaultCodes.InvalidValue, $"{where}'type' is '{type}'; it must be 'function'.");
        }

        if (!tool.ContainsKey("function"))
        {
            Require<JsonObject>(tool, "function", pointer, where, "an object with 'name'");
            return;
        }

        CheckFunction(tool["function"], $"{pointer}/function", where);
    }

    private void CheckFunction(JsonNode? node, string pointer, string where)
    {
        if (node is not JsonObject function)
        {
            WrongType(pointer, where, "the function", node, "an object with 'name', 'description' and 'parameters'");
            return;
        }

        CheckKeys(function, pointer, ["name", "description", "parameters", "strict"], where);
        string? name = Require<string>(function, "name", pointer, where, "a string");
        if (name is not null && (name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')))
        {
            Add($"{pointer}/name", DataFaultCodes.InvalidValue, $"{where}'{name}' is no name of a function; it must have 1 to 64 letters, digits, _ or -.");
        }

        if (function["description"] is not null)
        {
            Require<string>(function, "description", pointer, where, "a string");
        }

        if (function["parameters"] is not null)
        {
            Require<JsonObject>(function, "parameters", pointer, where, "a JSON schema, an object");
        }

        if (function["strict"] is JsonNode strict && strict.GetValueKind() is not (JsonValueKind.True or JsonValueKind.False))
        {
            WrongType($"{pointer}/strict", where, "strict", strict, "true or false");
        }
    }

    private void CheckKeys(JsonObject json, string pointer, IReadOnlyCollection<string> known, string where)
    {
        foreach ((string key, _) in json.Where(p => !known.Contains(p.Key)))
        {
            Add($"{pointer}/{LineJson.Escape(key)}", DataFaultCodes.UnknownKey,
                $"{where}'{key}' is not a key here; allowed are {string.Join(", ", known)}.");
        }
    }

    // The value of a key if it is there and of the type; else a fault and null. Types: string, JsonArray, JsonObject.
    private T? Require<T>(JsonObject json, string key, string pointer, string where, string expected)
        where T : class
    {
        string place = $"{pointer}/{key}";
        if (!json.TryGetPropertyValue(key, out JsonNode? node))
        {
            Add(place, DataFaultCodes.MissingKey, $"{where}'{key}' is missing; it must be {expected}.");
            return null;
        }

        object? value = typeof(T) == typeof(string) && node is JsonValue scalar && scalar.TryGetValue(out string? text) ? (object)text : node;
        if (value is T right)
        {
            return right;
        }

        WrongType(place, where, key, node, expected);
        return null;
    }

    private void WrongType(string pointer, string where, string what, JsonNode? value, string expected)
    {
        string quoted = what.Contains(' ', StringComparison.Ordinal) ? what : $"'{what}'";
        Add(pointer, DataFaultCodes.InvalidType, $"{where}{quoted} is {Show(value)}; it must be {expected}.");
    }

    private void Add(string pointer, string code, string message) =>
        faults.Add(new DataFault(line, pointer, code, $"Example {line}{(message.StartsWith("message ", StringComparison.Ordinal) ? ", " : ": ")}{message}"));

    private static string? RoleOf(JsonNode? message) =>
        message is JsonObject json && json["role"] is JsonValue role && role.TryGetValue(out string? name) ? name : null;

    // A value in an error message: what it is, and itself if it is short.
    private static string Show(JsonNode? value)
    {
        switch (value)
        {
            case null: return "null";
            case JsonArray: return "a list";
            case JsonObject: return "an object";
        }

        string text = value.AsValue().TryGetValue(out string? s) ? $"\"{s}\"" : value.ToJsonString();
        return text.Length <= 40 ? text : $"{text[..40]}…";
    }
}
