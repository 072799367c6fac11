namespace Anneal.Engine.Generation;

/// <summary>One text to be continued.</summary>
public sealed record GenerationRequest
{
    /// <summary>Ids of the prompt, special tokens included; at least one.</summary>
    public required int[] PromptIds { get; init; }

    /// <summary>Tokens to generate at most; null: until the model's context is full.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>How tokens are drawn.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Name of a loaded adapter; null: the base model alone.</summary>
    public string? Adapter { get; init; }

    /// <summary>Strings that end the text and are not part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>For each token, this many of the likeliest alternatives are told; 0: none.</summary>
    public int TopLogProbabilities { get; init; }
}

/// <summary>Why a text ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended its turn, or a stop string was met.</summary>
    Stop,

    /// <summary>The limit of tokens, or the model's context, was reached.</summary>
    Length,
}

/// <summary>An id and its log-probability under the model, before sampling options changed it.</summary>
public readonly record struct TokenLogProbability(int Id, float LogProbability);

/// <summary>One step of a generated text.</summary>
/// <param name="Id">The token; −1 in a last step that only brings held-back text.</param>
/// <param name="Text">Text that became certain with this token; empty while a character or a stop string is unfinished.</param>
/// <param name="LogProbability">log p(token | everything before) under the model, natural logarithm.</param>
/// <param name="Top">The likeliest alternatives, best first, if they were asked for.</param>
/// <param name="FinishReason">Set in the last step only.</param>
public sealed record GeneratedToken(
    int Id, string Text, float LogProbability, IReadOnlyList<TokenLogProbability> Top, FinishReason? FinishReason);

/// <summary>The prompt leaves no room in the model's context.</summary>
public sealed class ContextLengthException(int promptTokens, int? newTokens, int contextLength)
    : Exception($"The prompt has {promptTokens} tokens{(newTokens is { } n ? $" and {n} more are asked for" : "")}; " +
        $"this model's context is {contextLength} tokens.")
{
    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; } = promptTokens;

    /// <summary>Tokens that the model can see at most.</summary>
    public int ContextLength { get; } = contextLength;
}

/// <summary>More requests wait than the generator's queue holds.</summary>
public sealed class GeneratorBusyException(int limit)
    : Exception($"{limit} requests are waiting already; try again later.");

/// <summary>Limits of a <see cref="Generator"/>.</summary>
public sealed record GeneratorOptions
{
    /// <summary>Texts generated at the same time; others wait.</summary>
    public int MaxBatch { get; init; } = 32;

    /// <summary>Bytes of all key/value caches together. A request waits until its share is free.</summary>
    public long KvCacheBytes { get; init; } = 1L << 30;

    /// <summary>Requests that may wait; one more is refused.</summary>
    public int QueueLimit { get; init; } = 512;
}
