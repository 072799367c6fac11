using System.Text;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Anneal.Server.Chat;

/// <summary><c>POST /v1/chat/completions</c>, streaming and not.</summary>
internal static class ChatEndpoints
{
    /// <summary>Adds the route.</summary>
    public static void MapChat(this IEndpointRouteBuilder app) => app.MapPost("/v1/chat/completions", CreateAsync);

    private static async Task<IResult> CreateAsync(
        HttpContext context, IChatModels models, TimeProvider time, ILogger<ChatStream> logger, CancellationToken cancellation)
    {
        ApiFaults faults = new();
        ChatRequest? request;
        using (JsonBody body = await RequestBody.ReadObjectAsync(context, cancellation))
        {
            request = ChatValidation.Read(body.Fields(faults));
        }
        if (faults.ToError() is ApiError error)
        {
            return error;
        }
        IChatModel? model = await models.OpenAsync(request!.Model, cancellation);
        if (model is null)
        {
            return ApiError.NoModel(request.Model);
        }
        if (BiasOutside(request, model) is ApiError outside)
        {
            return outside;
        }
        ChatPrompt prompt = new(model.Render(request.Messages), request.TokensMax, request.Sampling, request.Stop, request.TopLogProbs);
        ChatWire wire = new(request, model, time.GetUtcNow());
        ChatAnswers answers = new(model, prompt, request.Count);
        return request.Stream
            ? new ChatStream(request, wire, answers, prompt.Ids.Length, time, logger)
            : await CompleteAsync(wire, answers, prompt.Ids.Length, request.Count, cancellation);
    }

    private static async Task<IResult> CompleteAsync(
        ChatWire wire, ChatAnswers answers, int promptTokens, int count, CancellationToken cancellation)
    {
        StringBuilder[] texts = [.. Enumerable.Range(0, count).Select(_ => new StringBuilder())];
        List<TokenChance>[] chances = [.. Enumerable.Range(0, count).Select(_ => new List<TokenChance>())];
        int[] tokens = new int[count];
        string[] finishes = new string[count];
        await foreach ((int index, ChatPiece piece) in answers.RunAsync(cancellation))
        {
            texts[index].Append(piece.Text);
            tokens[index] += piece.Tokens;
            if (piece.Chance is not null)
            {
                chances[index].Add(piece.Chance);
            }
            finishes[index] = piece.Finish ?? "";
        }
        ChatAnswer[] finished =
        [
            .. Enumerable.Range(0, count).Select(i => new ChatAnswer(texts[i].ToString(), tokens[i], chances[i], finishes[i])),
        ];
        return ApiJson.Ok(wire.Completion(finished, promptTokens));
    }

    private static ApiError? BiasOutside(ChatRequest request, IChatModel model)
    {
        foreach (int id in request.Sampling.LogitBias?.Keys ?? [])
        {
            if (id >= model.VocabularySize)
            {
                return ApiError.Bad(
                    $"Invalid 'logit_bias.{id}': this model's token ids are below {model.VocabularySize}.",
                    $"logit_bias.{id}", "invalid_value");
            }
        }
        return null;
    }
}
