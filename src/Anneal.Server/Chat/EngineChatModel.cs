using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Anneal.Engine.Generation;
using Anneal.Engine.Text;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Http;

namespace Anneal.Server.Chat;

/// <summary>One name of <c>/v1/models</c> for one request: a loaded base, and an adapter for a tuned model.</summary>
/// <param name="loaded">The base.</param>
/// <param name="adapter">The adapter's name; null for the base alone.</param>
/// <param name="adapterFolder">Where the adapter can be loaded from.</param>
/// <param name="fingerprint">See <see cref="Fingerprint"/>.</param>
/// <param name="now">The time that chat templates see.</param>
internal sealed class EngineChatModel(
    LoadedBase loaded, string? adapter, string? adapterFolder, string fingerprint, DateTimeOffset now) : IChatModel
{
    /// <summary>How often a request loads its adapter again because others pushed it out before it could start.</summary>
    private const int StartsMax = 4;

    /// <inheritdoc/>
    public string Fingerprint => fingerprint;

    /// <inheritdoc/>
    public int VocabularySize => loaded.Text.Tokenizer.VocabularySize;

    /// <inheritdoc/>
    public int[] Render(JsonArray messages)
    {
        ModelText text = loaded.Text;
        try
        {
            JsonArray prepared = ChatMessages.ForTemplate(messages, text.Template);
            string rendered = text.Template.Render(
                prepared, tools: null, addGenerationPrompt: true, text.SpecialTokens.TemplateVariables, now).Text;
            int[] ids = text.Tokenizer.Encode(rendered);
            return ids.Length > 0 ? ids : throw Refused("it renders them as an empty text.");
        }
        catch (TemplateException refusal)
        {
            throw Refused(refusal.Message);
        }
        catch (InvalidDataException noTemplate)
        {
            throw new ApiException(ApiError.Bad($"This model cannot chat. {noTemplate.Message}", "model", "model_not_available"));
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatPiece> GenerateAsync(
        ChatPrompt prompt, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using IAsyncEnumerator<GeneratedToken> tokens = await StartAsync(prompt, cancellation);
        do
        {
            yield return PieceOf(tokens.Current);
        }
        while (await tokens.MoveNextAsync());
    }

    /// <summary>The request's tokens, with the first one there. What the engine refuses becomes the API's error.</summary>
    private async Task<IAsyncEnumerator<GeneratedToken>> StartAsync(ChatPrompt prompt, CancellationToken cancellation)
    {
        for (int start = 1; ; start++)
        {
            IAsyncEnumerator<GeneratedToken> tokens =
                loaded.Generator.GenerateAsync(RequestOf(prompt), cancellation).GetAsyncEnumerator(cancellation);
            try
            {
                if (!await tokens.MoveNextAsync())
                {
                    throw new InvalidOperationException("The generator ended without a finish reason.");
                }
                return tokens;
            }
            catch (Exception failure)
            {
                await tokens.DisposeAsync();
                if (failure is KeyNotFoundException && start < StartsMax)
                {
                    loaded.EnsureAdapter(adapter!, adapterFolder!);
                    continue;
                }
                if (ErrorOf(failure, prompt) is ApiError error)
                {
                    throw new ApiException(error);
                }
                throw;
            }
        }
    }

    private static ApiException Refused(string why) => new(ApiError.Bad(
        $"The model's chat template does not accept these messages: {why}", "messages", "invalid_value"));

    private GenerationRequest RequestOf(ChatPrompt prompt) => new()
    {
        PromptIds = prompt.Ids,
        MaxNewTokens = prompt.TokensMax,
        Adapter = adapter,
        Stop = prompt.Stop,
        TopLogProbabilities = prompt.TopChances,
        Sampling = new SamplingOptions
        {
            Temperature = (float)prompt.Sampling.Temperature,
            TopP = (float)prompt.Sampling.TopP,
            FrequencyPenalty = (float)prompt.Sampling.FrequencyPenalty,
            PresencePenalty = (float)prompt.Sampling.PresencePenalty,
            Seed = prompt.Sampling.Seed,
            LogitBias = prompt.Sampling.LogitBias,
        },
    };

    private ChatPiece PieceOf(GeneratedToken token)
    {
        bool isText = token.Id >= 0 && !loaded.Text.Tokenizer.IsSpecial(token.Id);
        TokenChance? chance = isText
            ? new TokenChance(TextOf(token.Id), token.LogProbability, [.. token.Top.Select(ChanceOf)])
            : null;
        string? finish = token.FinishReason switch
        {
            FinishReason.Stop => "stop",
            FinishReason.Length => "length",
            _ => null,
        };
        return new ChatPiece(token.Text, token.Id >= 0 ? 1 : 0, chance, finish);
    }

    private TokenChance ChanceOf(TokenLogProbability token) => new(TextOf(token.Id), token.LogProbability, []);

    private string TextOf(int id) => loaded.Text.Tokenizer.Decode([id]);

    private static ApiError? ErrorOf(Exception failure, ChatPrompt prompt) => failure switch
    {
        ContextLengthException tooLong => ApiError.Bad(
            $"This model's maximum context length is {tooLong.ContextLength} tokens. However, "
            + (prompt.TokensMax is int asked
                ? $"you requested {tooLong.PromptTokens + (long)asked} tokens ({tooLong.PromptTokens} in the messages, {asked} in the "
                    + "completion). Please reduce the length of the messages or completion."
                : $"your messages resulted in {tooLong.PromptTokens} tokens. Please reduce the length of the messages."),
            "messages", "context_length_exceeded"),
        GeneratorBusyException busy => new ApiError(
            StatusCodes.Status429TooManyRequests, busy.Message, Code: "rate_limit_exceeded", Type: "requests", RetryAfterSeconds: 5),
        _ => null,
    };
}
