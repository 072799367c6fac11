using System.Text.Json.Nodes;

namespace Anneal.Server.Chat;

/// <summary>What can be chatted with, by the names of <c>/v1/models</c>.</summary>
internal interface IChatModels
{
    /// <summary>The model, loaded and ready; null when there is none of this name.</summary>
    /// <exception cref="Http.ApiException">There is one, but it cannot be loaded.</exception>
    Task<IChatModel?> OpenAsync(string name, CancellationToken cancellation);

    /// <summary>Frees what is loaded of a tuned model that was deleted; requests that use it end as they would have.</summary>
    void Forget(string name);
}

/// <summary>A loaded model.</summary>
internal interface IChatModel
{
    /// <summary>Changes when the weights behind the name change: what users see as <c>system_fingerprint</c>.</summary>
    string Fingerprint { get; }

    /// <summary>Highest token id plus one.</summary>
    int VocabularySize { get; }

    /// <summary>The conversation as token ids, ready for the assistant's turn.</summary>
    /// <exception cref="Http.ApiException">The model's chat template refuses the conversation.</exception>
    int[] Render(JsonArray messages);

    /// <summary>One answer, piece by piece. The last piece, and only it, has a finish reason.</summary>
    /// <exception cref="Http.ApiException">The prompt does not fit, or too many requests wait.</exception>
    IAsyncEnumerable<ChatPiece> GenerateAsync(ChatPrompt prompt, CancellationToken cancellation);
}

/// <summary>What a model needs to make one answer.</summary>
/// <param name="Ids">From <see cref="IChatModel.Render"/>.</param>
/// <param name="TokensMax">Most tokens of the answer; null for as many as the context holds.</param>
/// <param name="Sampling">How tokens are drawn.</param>
/// <param name="Stop">Strings that end the answer and are not part of it.</param>
/// <param name="TopChances">How many of the likeliest tokens are told at each place.</param>
internal sealed record ChatPrompt(
    int[] Ids, int? TokensMax, ChatSampling Sampling, IReadOnlyList<string> Stop, int TopChances);

/// <summary>How tokens are drawn; names and ranges as in the request.</summary>
internal sealed record ChatSampling
{
    /// <summary>0 takes the likeliest token.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>The share of probability that is drawn from.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Per occurrence so far.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Once for each token that occurred.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Makes the draws reproducible; null for a fresh seed.</summary>
    public long? Seed { get; init; }

    /// <summary>Added to the logits of single tokens.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }
}

/// <summary>A step of an answer.</summary>
/// <param name="Text">Text that became certain; may be empty.</param>
/// <param name="Tokens">How many tokens this step generated: 1, or 0 when it only brings text that was held back.</param>
/// <param name="Chance">The token and its probability; null for tokens that are no text, such as the end of the turn.</param>
/// <param name="Finish"><c>stop</c> or <c>length</c> in the last piece, else null.</param>
internal sealed record ChatPiece(string Text, int Tokens, TokenChance? Chance, string? Finish);

/// <summary>A token as text and how likely it was.</summary>
/// <param name="Token">The token's text.</param>
/// <param name="LogProbability">Natural logarithm, under the model before sampling options.</param>
/// <param name="Top">The likeliest tokens at this place, best first; empty inside this list.</param>
internal sealed record TokenChance(string Token, double LogProbability, IReadOnlyList<TokenChance> Top);
