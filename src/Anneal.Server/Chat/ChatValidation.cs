using System.Globalization;
using System.Text.Json;
using Anneal.Server.Http;

namespace Anneal.Server.Chat;

/// <summary>
/// Reads the body of a chat completion. A parameter is honoured, or refused by name; only those that the wire format says to
/// accept and ignore are ignored, and even they must have the right type.
/// </summary>
internal static class ChatValidation
{
    private const int AnswersMax = 128;
    private const int StopStringsMax = 4;
    private const int TopLogProbsMax = 20;
    private const string NotHere = "is not available on this server.";

    private static readonly string[] ServiceTiers = ["auto", "default", "flex", "scale", "priority", "fast"];
    private static readonly string[] Efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    private static readonly string[] Verbosities = ["low", "medium", "high"];
    private static readonly string[] ResponseFormats = ["text", "json_object", "json_schema"];

    /// <summary>The request, or null when the faults hold what is wrong.</summary>
    public static ChatRequest? Read(RequestFields fields)
    {
        string? model = fields.String("model", required: true, charsMin: 1);
        System.Text.Json.Nodes.JsonArray? messages = MessageValidation.Read(fields);
        ChatSampling sampling = ReadSampling(fields);
        int? tokensMax = ReadTokensMax(fields);
        long? count = fields.Integer("n", 1, AnswersMax);
        IReadOnlyList<string> stop = ReadStop(fields);
        bool? logProbs = fields.Boolean("logprobs");
        long? topLogProbs = fields.Integer("top_logprobs", 0, TopLogProbsMax);
        if (topLogProbs is not null && logProbs is not true)
        {
            fields.Faults.Add("Invalid 'top_logprobs': it needs 'logprobs' to be true.", "top_logprobs", "invalid_value");
        }
        bool stream = fields.Boolean("stream") ?? false;
        (bool usage, bool obfuscation) = ReadStreamOptions(fields, stream);
        IReadOnlyDictionary<string, string>? metadata = fields.Metadata();
        RefuseWhatIsNotHere(fields);
        CheckIgnored(fields);
        fields.RejectUnknown();
        return !fields.Faults.None
            ? null
            : new ChatRequest
            {
                Model = model!,
                Messages = messages!,
                Sampling = sampling,
                TokensMax = tokensMax,
                Count = (int)(count ?? 1),
                Stop = stop,
                LogProbs = logProbs ?? false,
                TopLogProbs = (int)(topLogProbs ?? 0),
                Stream = stream,
                IncludeUsage = usage,
                IncludeObfuscation = obfuscation,
                Metadata = metadata,
            };
    }

    private static ChatSampling ReadSampling(RequestFields fields) => new()
    {
        Temperature = fields.Number("temperature", 0, 2) ?? 1,
        TopP = fields.Number("top_p", 0, 1) ?? 1,
        FrequencyPenalty = fields.Number("frequency_penalty", -2, 2) ?? 0,
        PresencePenalty = fields.Number("presence_penalty", -2, 2) ?? 0,
        Seed = fields.Integer("seed"),
        LogitBias = ReadLogitBias(fields),
    };

    private static Dictionary<int, float>? ReadLogitBias(RequestFields fields)
    {
        if (fields.Raw("logit_bias") is not JsonElement given)
        {
            return null;
        }
        if (given.ValueKind != JsonValueKind.Object)
        {
            fields.WrongType("logit_bias", "an object", given);
            return null;
        }
        Dictionary<int, float> biases = [];
        foreach (JsonProperty pair in given.EnumerateObject())
        {
            string at = $"logit_bias.{pair.Name}";
            if (!int.TryParse(pair.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
            {
                fields.Faults.Add($"Invalid '{at}': names must be token ids.", at, "invalid_value");
            }
            else if (fields.Number(pair.Value, at, -100, 100) is double bias)
            {
                biases[id] = (float)bias;
            }
        }
        return biases.Count == 0 ? null : biases;
    }

    /// <summary>Both names count, as old and new clients send them; the smaller one decides.</summary>
    private static int? ReadTokensMax(RequestFields fields)
    {
        long? current = fields.Integer("max_completion_tokens", 1, int.MaxValue);
        long? deprecated = fields.Integer("max_tokens", 1, int.MaxValue);
        return (current, deprecated) switch
        {
            (null, null) => null,
            (long one, null) => (int)one,
            (null, long one) => (int)one,
            (long one, long other) => (int)Math.Min(one, other),
        };
    }

    private static List<string> ReadStop(RequestFields fields)
    {
        if (fields.Raw("stop") is not JsonElement given)
        {
            return [];
        }
        if (given.ValueKind == JsonValueKind.String)
        {
            return fields.String("stop", charsMin: 1) is string one ? [one] : [];
        }
        if (given.ValueKind != JsonValueKind.Array)
        {
            fields.WrongType("stop", "a string or an array of strings", given);
            return [];
        }
        List<string> stop = [];
        if (fields.Array("stop", itemsMax: StopStringsMax) is JsonElement items)
        {
            foreach ((int index, JsonElement item) in items.EnumerateArray().Index())
            {
                string at = $"stop[{index}]";
                if (fields.Text(item, at) is string text)
                {
                    if (text.Length == 0)
                    {
                        fields.Faults.Add($"Invalid '{at}': a stop string cannot be empty.", at, "empty_string");
                    }
                    stop.Add(text);
                }
            }
        }
        return stop;
    }

    private static (bool Usage, bool Obfuscation) ReadStreamOptions(RequestFields fields, bool stream)
    {
        if (fields.Object("stream_options") is not RequestFields options)
        {
            return (false, false);
        }
        if (!stream)
        {
            fields.Faults.Add(
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options", "invalid_value");
        }
        bool usage = options.Boolean("include_usage") ?? false;
        bool obfuscation = options.Boolean("include_obfuscation") ?? false;
        options.RejectUnknown();
        return (usage, obfuscation);
    }

    private static void RefuseWhatIsNotHere(RequestFields fields)
    {
        if (fields.Array("tools") is JsonElement tools && tools.GetArrayLength() > 0)
        {
            fields.Faults.Add($"Unsupported parameter: 'tools' {NotHere}", "tools", "unsupported_parameter");
        }
        RefuseUnlessNone(fields, "tool_choice");
        RefuseUnlessNone(fields, "function_call");
        fields.RejectUnsupported(NotHere, "functions");
        if (fields.Boolean("store") is true)
        {
            fields.Faults.Add(
                "Unsupported value: 'store' cannot be true, because this server stores no completions.", "store", "unsupported_value");
        }
        if (fields.Object("response_format") is RequestFields format
            && format.Choice("type", ResponseFormats, required: true) is string type and not "text")
        {
            fields.Faults.Add(
                $"Unsupported value: 'response_format.type' does not support '{type}' on this server. Supported values are: 'text'.",
                "response_format.type", "unsupported_value");
        }
    }

    private static void RefuseUnlessNone(RequestFields fields, string name)
    {
        if (fields.Raw(name) is JsonElement given && !(given.ValueKind == JsonValueKind.String && given.ValueEquals("none"u8)))
        {
            fields.Faults.Add(
                $"Unsupported parameter: '{name}' {NotHere} Only 'none' is accepted.", name, "unsupported_parameter");
        }
    }

    /// <summary>What has no effect here by the wire format's own rule.</summary>
    private static void CheckIgnored(RequestFields fields)
    {
        fields.Boolean("parallel_tool_calls");
        fields.String("user");
        fields.String("safety_identifier", charsMax: 64);
        fields.String("prompt_cache_key");
        fields.Choice("prompt_cache_retention", ["in_memory", "24h"]);
        fields.Object("prompt_cache_options");
        fields.Choice("service_tier", ServiceTiers);
        fields.Choice("reasoning_effort", Efforts);
        fields.Choice("verbosity", Verbosities);
        fields.Object("prediction");
        fields.Object("audio");
        fields.Object("web_search_options");
        fields.Object("moderation");
        if (fields.Array("modalities") is JsonElement modalities)
        {
            foreach ((int index, JsonElement item) in modalities.EnumerateArray().Index())
            {
                if (fields.Text(item, $"modalities[{index}]") is string text and not ("text" or "audio"))
                {
                    fields.InvalidValue($"modalities[{index}]", text, ["text", "audio"]);
                }
            }
        }
    }
}
