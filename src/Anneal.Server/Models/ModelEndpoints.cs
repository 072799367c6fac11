using Anneal.Jobs;
using Anneal.Server.Chat;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Anneal.Server.Models;

/// <summary><c>/v1/models</c>: base models, tuned models and the models of checkpoints.</summary>
internal static class ModelEndpoints
{
    /// <summary>Adds the routes.</summary>
    public static void MapModels(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder group = app.MapGroup("/v1/models");
        group.MapGet("", ListAsync);
        group.MapGet("/{model}", RetrieveAsync);
        group.MapDelete("/{model}", DeleteAsync);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, JobStore store, ModelFolders bases, Installation installation, CancellationToken cancellation)
    {
        if (new ListQuery(context.Request.Query).Check() is ApiError error)
        {
            return error;
        }
        IEnumerable<ModelWire> tuned = (await store.ListModelsAsync(cancellation))
            .Select(model => ModelWire.Of(model, installation.OrganizationId));
        ModelListWire list = new("list", [.. bases.All.Select(ModelWire.Of), .. tuned]);
        return ApiJson.Ok(list, ApiJson.Default.ModelListWire);
    }

    private static async Task<IResult> RetrieveAsync(
        string model, JobStore store, ModelFolders bases, Installation installation, CancellationToken cancellation)
    {
        if (bases.Find(model) is BaseModelFolder known)
        {
            return ApiJson.Ok(ModelWire.Of(known), ApiJson.Default.ModelWire);
        }
        return await store.GetModelAsync(model, cancellation) is TunedModel tuned
            ? ApiJson.Ok(ModelWire.Of(tuned, installation.OrganizationId), ApiJson.Default.ModelWire)
            : ApiError.NoModel(model);
    }

    private static async Task<IResult> DeleteAsync(
        string model, JobStore store, ModelFolders bases, IChatModels loaded, CancellationToken cancellation)
    {
        if (bases.Find(model) is not null)
        {
            return new ApiError(
                StatusCodes.Status403Forbidden,
                $"The model `{model}` is a base model: only fine-tuned models can be deleted.",
                "model", "model_not_deletable");
        }
        Deletion deletion = await store.DeleteModelAsync(model, cancellation);
        if (deletion.Outcome == DeletionOutcome.Deleted)
        {
            loaded.Forget(model);
        }
        return deletion.Outcome switch
        {
            DeletionOutcome.NotFound => ApiError.NoModel(model),
            DeletionOutcome.InUse => ApiError.Bad(
                $"The model `{model}` is used by the fine-tuning job {deletion.JobId}. Cancel the job, or wait until it is done.",
                "model", "model_in_use"),
            _ => ApiJson.Ok(new DeletionWire(model, "model", Deleted: true), ApiJson.Default.DeletionWire),
        };
    }
}
