using System.Text.Json;
using System.Text.Json.Serialization;

namespace Anneal.Client;

/// <summary>A model's answer.</summary>
public sealed record ChatCompletion
{
    /// <summary>Id, <c>chatcmpl-…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>When it was begun.</summary>
    [JsonConverter(typeof(UnixTimeConverter))]
    public required DateTimeOffset Created { get; init; }

    /// <summary>The model that answered.</summary>
    public required string Model { get; init; }

    /// <summary>The answers: as many as were asked for.</summary>
    public required IReadOnlyList<ChatChoice> Choices { get; init; }

    /// <summary>Tokens counted.</summary>
    public ChatUsage? Usage { get; init; }
}

/// <summary>One of the answers.</summary>
public sealed record ChatChoice
{
    /// <summary>Number of the answer, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>What the model says.</summary>
    public required ChatMessage Message { get; init; }

    /// <summary>Why it ended.</summary>
    public FinishReason? FinishReason { get; init; }

    /// <summary>Log-probabilities as sent, when asked for.</summary>
    public JsonElement? Logprobs { get; init; }
}

/// <summary>Tokens of a request and its answer.</summary>
public sealed record ChatUsage
{
    /// <summary>Tokens of the conversation as the model saw it.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public required int CompletionTokens { get; init; }

    /// <summary>Both together.</summary>
    public required int TotalTokens { get; init; }
}

/// <summary>A piece of a streamed answer.</summary>
public sealed record ChatChunk
{
    /// <summary>Id of the whole answer.</summary>
    public required string Id { get; init; }

    /// <summary>The model that answers.</summary>
    public required string Model { get; init; }

    /// <summary>What is new; empty in the piece with the usage.</summary>
    public required IReadOnlyList<ChatChunkChoice> Choices { get; init; }

    /// <summary>Tokens counted; only in the last piece.</summary>
    public ChatUsage? Usage { get; init; }

    /// <summary>The new text of the first answer; empty when there is none.</summary>
    [JsonIgnore]
    public string Text => Choices.FirstOrDefault(choice => choice.Index == 0)?.Delta.Content ?? "";
}

/// <summary>What is new in one of the answers.</summary>
public sealed record ChatChunkChoice
{
    /// <summary>Number of the answer, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The new part of the message.</summary>
    public required ChatDelta Delta { get; init; }

    /// <summary>Why it ended; null while it has not.</summary>
    public FinishReason? FinishReason { get; init; }
}

/// <summary>The new part of a message.</summary>
public sealed record ChatDelta
{
    /// <summary>Who speaks; only in the first piece.</summary>
    public string? Role { get; init; }

    /// <summary>New text.</summary>
    public string? Content { get; init; }

    /// <summary>Pieces of calls of functions, as in the API's own format.</summary>
    public IReadOnlyList<JsonElement>? ToolCalls { get; init; }
}

/// <summary>Why an answer ended. Values unknown to this version are kept as they are.</summary>
/// <param name="Value">The word on the wire.</param>
[JsonConverter(typeof(FinishReasonConverter))]
public readonly record struct FinishReason(string Value)
{
    /// <summary>The model ended it, or a stop text was reached.</summary>
    public static FinishReason Stop { get; } = new("stop");

    /// <summary>The most tokens were generated, or the context was full.</summary>
    public static FinishReason Length { get; } = new("length");

    /// <summary>The model calls functions.</summary>
    public static FinishReason ToolCalls { get; } = new("tool_calls");

    /// <summary>The word on the wire.</summary>
    public override string ToString() => Value ?? "";
}

internal sealed class FinishReasonConverter() : OpenValueConverter<FinishReason>(word => new(word), value => value.Value);
