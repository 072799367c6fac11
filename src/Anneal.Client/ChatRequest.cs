using System.Text.Json;

namespace Anneal.Client;

/// <summary>A conversation to be continued by a model.</summary>
public sealed record ChatRequest
{
    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The conversation so far, at least one message.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Most tokens to generate for one answer.</summary>
    public int? MaxCompletionTokens { get; init; }

    /// <summary>0 takes the likeliest token each time; up to 2; the service's default is 1.</summary>
    public double? Temperature { get; init; }

    /// <summary>Draw from the likeliest tokens that together have this probability.</summary>
    public double? TopP { get; init; }

    /// <summary>Number of answers.</summary>
    public int? N { get; init; }

    /// <summary>Texts that end an answer, at most 4.</summary>
    public IReadOnlyList<string>? Stop { get; init; }

    /// <summary>Seed of the drawing.</summary>
    public long? Seed { get; init; }

    /// <summary>−2 to 2; lowers the logits of tokens by how often they were generated.</summary>
    public double? FrequencyPenalty { get; init; }

    /// <summary>−2 to 2; lowers the logits of tokens that were generated.</summary>
    public double? PresencePenalty { get; init; }

    /// <summary>True asks for the log-probability of each token.</summary>
    public bool? Logprobs { get; init; }

    /// <summary>How many of the likeliest tokens to list with each, 0 to 20.</summary>
    public int? TopLogprobs { get; init; }

    /// <summary>Functions that the model may call, as in the API's own format.</summary>
    public IReadOnlyList<JsonElement>? Tools { get; init; }

    /// <summary>What kind of answer is wanted, as in the API's own format.</summary>
    public JsonElement? ResponseFormat { get; init; }
}

/// <summary>One message of a conversation.</summary>
public sealed record ChatMessage
{
    /// <summary>Who speaks: <c>system</c>, <c>developer</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</summary>
    public required string Role { get; init; }

    /// <summary>What is said; null when there are only tool calls.</summary>
    public string? Content { get; init; }

    /// <summary>Name of the speaker.</summary>
    public string? Name { get; init; }

    /// <summary>Calls of functions, as in the API's own format.</summary>
    public IReadOnlyList<JsonElement>? ToolCalls { get; init; }

    /// <summary>For role <c>tool</c>: the call that this answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>A message that tells the model how to behave.</summary>
    /// <param name="content">What is said.</param>
    public static ChatMessage System(string content) => new() { Role = "system", Content = content };

    /// <summary>A message of the user.</summary>
    /// <param name="content">What is said.</param>
    public static ChatMessage User(string content) => new() { Role = "user", Content = content };

    /// <summary>A message of the model.</summary>
    /// <param name="content">What is said.</param>
    public static ChatMessage Assistant(string content) => new() { Role = "assistant", Content = content };
}

// What is sent: the request and whether to stream. One type, so that the serializer writes one flat object.
internal sealed record ChatRequestBody(
    string Model,
    IReadOnlyList<ChatMessage> Messages,
    int? MaxCompletionTokens,
    double? Temperature,
    double? TopP,
    int? N,
    IReadOnlyList<string>? Stop,
    long? Seed,
    double? FrequencyPenalty,
    double? PresencePenalty,
    bool? Logprobs,
    int? TopLogprobs,
    IReadOnlyList<JsonElement>? Tools,
    JsonElement? ResponseFormat,
    bool? Stream,
    ChatStreamOptions? StreamOptions)
{
    public static ChatRequestBody Of(ChatRequest request, bool stream) => new(
        request.Model, request.Messages, request.MaxCompletionTokens, request.Temperature, request.TopP, request.N, request.Stop,
        request.Seed, request.FrequencyPenalty, request.PresencePenalty, request.Logprobs, request.TopLogprobs, request.Tools,
        request.ResponseFormat, stream ? true : null, stream ? new ChatStreamOptions(true) : null);
}

internal sealed record ChatStreamOptions(bool IncludeUsage);
