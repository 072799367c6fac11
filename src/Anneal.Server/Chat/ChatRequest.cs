using System.Text.Json.Nodes;

namespace Anneal.Server.Chat;

/// <summary>A validated chat completion request.</summary>
internal sealed record ChatRequest
{
    /// <summary>The model's name as given.</summary>
    public required string Model { get; init; }

    /// <summary>The conversation in the form that chat templates read: contents are strings.</summary>
    public required JsonArray Messages { get; init; }

    /// <summary>How tokens are drawn.</summary>
    public required ChatSampling Sampling { get; init; }

    /// <summary>Most tokens of each answer; null for as many as the context holds.</summary>
    public int? TokensMax { get; init; }

    /// <summary>Number of answers.</summary>
    public int Count { get; init; } = 1;

    /// <summary>Strings that end an answer.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>True tells the probability of every token.</summary>
    public bool LogProbs { get; init; }

    /// <summary>How many alternatives are told with each token.</summary>
    public int TopLogProbs { get; init; }

    /// <summary>True answers as a stream of events.</summary>
    public bool Stream { get; init; }

    /// <summary>True adds a last chunk with the usage.</summary>
    public bool IncludeUsage { get; init; }

    /// <summary>True pads chunks with random text, so that their sizes say nothing about the answer.</summary>
    public bool IncludeObfuscation { get; init; }

    /// <summary>Echoed.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
