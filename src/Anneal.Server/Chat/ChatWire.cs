using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Anneal.Server.Chat;

/// <summary>
/// Writes the objects of one chat completion: all of them share id, time and model. They are built as JSON nodes because what
/// they hold depends on the request (a null <c>usage</c> in every chunk, or none at all).
/// </summary>
internal sealed class ChatWire(ChatRequest request, IChatModel model, DateTimeOffset created)
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int ObfuscationBlock = 16;

    private readonly string _id = "chatcmpl-" + RandomNumberGenerator.GetString(Letters, 29);

    /// <summary>The whole completion.</summary>
    public JsonObject Completion(IReadOnlyList<ChatAnswer> answers, int promptTokens)
    {
        JsonArray choices = [];
        foreach ((int index, ChatAnswer answer) in answers.Index())
        {
            choices.Add((JsonNode)new JsonObject
            {
                ["index"] = index,
                ["message"] = new JsonObject
                {
                    ["role"] = "assistant",
                    ["content"] = answer.Text,
                    ["refusal"] = null,
                    ["annotations"] = new JsonArray(),
                },
                ["logprobs"] = LogProbs(answer.Chances),
                ["finish_reason"] = answer.Finish,
            });
        }
        JsonObject completion = Head("chat.completion", choices);
        completion["usage"] = Usage(promptTokens, answers.Sum(answer => answer.Tokens));
        if (request.Metadata is not null)
        {
            JsonObject metadata = [];
            foreach ((string key, string value) in request.Metadata)
            {
                metadata[key] = value;
            }
            completion["metadata"] = metadata;
        }
        return completion;
    }

    /// <summary>The chunk that opens an answer.</summary>
    public JsonObject FirstChunk(int index) =>
        Chunk(index, new JsonObject { ["role"] = "assistant", ["content"] = "", ["refusal"] = null }, null, null);

    /// <summary>A chunk of text.</summary>
    public JsonObject TextChunk(int index, string text, IReadOnlyList<TokenChance> chances)
    {
        JsonObject chunk = Chunk(index, new JsonObject { ["content"] = text }, LogProbs(chances), null);
        if (request.IncludeObfuscation)
        {
            // Fills the text up to a multiple of the block, so that only the number of blocks can be seen from outside.
            int padding = ObfuscationBlock - (Encoding.UTF8.GetByteCount(text) % ObfuscationBlock);
            chunk["obfuscation"] = RandomNumberGenerator.GetString(Letters, padding);
        }
        return chunk;
    }

    /// <summary>The chunk that closes an answer.</summary>
    public JsonObject LastChunk(int index, string finish) => Chunk(index, [], null, finish);

    /// <summary>The chunk after all answers that tells the usage.</summary>
    public JsonObject UsageChunk(int promptTokens, int completionTokens)
    {
        JsonObject chunk = Head("chat.completion.chunk", []);
        chunk["usage"] = Usage(promptTokens, completionTokens);
        return chunk;
    }

    private JsonObject Chunk(int index, JsonObject delta, JsonObject? logProbs, string? finish)
    {
        JsonArray choices =
        [
            new JsonObject { ["index"] = index, ["delta"] = delta, ["logprobs"] = logProbs, ["finish_reason"] = finish },
        ];
        JsonObject chunk = Head("chat.completion.chunk", choices);
        if (request.IncludeUsage)
        {
            chunk["usage"] = null;
        }
        return chunk;
    }

    private JsonObject Head(string kind, JsonArray choices) => new()
    {
        ["id"] = _id,
        ["object"] = kind,
        ["created"] = created.ToUnixTimeSeconds(),
        ["model"] = request.Model,
        ["choices"] = choices,
        ["service_tier"] = "default",
        ["system_fingerprint"] = model.Fingerprint,
    };

    private static JsonObject Usage(int promptTokens, int completionTokens) => new()
    {
        ["prompt_tokens"] = promptTokens,
        ["completion_tokens"] = completionTokens,
        ["total_tokens"] = promptTokens + completionTokens,
        ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = 0, ["audio_tokens"] = 0 },
        ["completion_tokens_details"] = new JsonObject
        {
            ["reasoning_tokens"] = 0,
            ["audio_tokens"] = 0,
            ["accepted_prediction_tokens"] = 0,
            ["rejected_prediction_tokens"] = 0,
        },
    };

    private JsonObject? LogProbs(IReadOnlyList<TokenChance> chances)
    {
        if (!request.LogProbs)
        {
            return null;
        }
        JsonArray content = [];
        foreach (TokenChance chance in chances)
        {
            JsonObject entry = Entry(chance);
            entry["top_logprobs"] = new JsonArray([.. chance.Top.Select(Entry)]);
            content.Add((JsonNode)entry);
        }
        return new JsonObject { ["content"] = content, ["refusal"] = null };
    }

    private static JsonObject Entry(TokenChance chance)
    {
        // A token that is only part of a character has no text of its own, and then no bytes are told either.
        bool partial = chance.Token.Contains('\uFFFD', StringComparison.Ordinal);
        JsonArray? bytes = partial
            ? null
            : new JsonArray([.. Encoding.UTF8.GetBytes(chance.Token).Select(b => (JsonNode)JsonValue.Create((int)b))]);
        return new JsonObject
        {
            ["token"] = chance.Token,
            // JSON knows no infinity; this is what upstream sends for "never".
            ["logprob"] = double.IsFinite(chance.LogProbability) ? chance.LogProbability : -9999.0,
            ["bytes"] = bytes,
        };
    }
}

/// <summary>A finished answer.</summary>
/// <param name="Text">All of its text.</param>
/// <param name="Tokens">Tokens generated.</param>
/// <param name="Chances">The probability of each token of text.</param>
/// <param name="Finish"><c>stop</c> or <c>length</c>.</param>
internal sealed record ChatAnswer(string Text, int Tokens, IReadOnlyList<TokenChance> Chances, string Finish);
