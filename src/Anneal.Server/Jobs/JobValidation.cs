using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Jobs;
using Anneal.Server.Http;
using Anneal.Server.Models;

namespace Anneal.Server.Jobs;

/// <summary>
/// Reads the body of a job creation. Everything that can be known without opening the files is checked here and all of it is
/// reported at once; the files' contents are checked by the job itself.
/// </summary>
internal sealed class JobValidation(JobStore store, ModelFolders bases)
{
    private static readonly string[] Methods = ["supervised"];
    private const int EpochsMax = 50;
    private const int BatchSizeMax = 256;

    /// <summary>The job to submit, or null when <paramref name="faults"/> holds what is wrong.</summary>
    public async Task<NewJob?> ReadAsync(RequestFields fields, ApiFaults faults, CancellationToken cancellation)
    {
        string? model = fields.String("model", required: true, charsMin: 1);
        string? training = fields.String("training_file", required: true, charsMin: 1);
        string? validation = fields.String("validation_file", charsMin: 1);
        string? suffix = fields.String("suffix", charsMin: 1, charsMax: Limits.SuffixCharsMax);
        long? seed = fields.Integer("seed", 0, int.MaxValue);
        IReadOnlyDictionary<string, string>? metadata = fields.Metadata();
        JsonObject hyperparameters = ReadMethod(fields);
        ReadIntegrations(fields);
        fields.RejectUnknown();

        string? baseModel = model is null ? null : await FindBaseAsync(model, faults, cancellation);
        await CheckFileAsync(training, "training_file", faults, cancellation);
        await CheckFileAsync(validation, "validation_file", faults, cancellation);
        if (!faults.None)
        {
            return null;
        }
        return new NewJob
        {
            Model = model!,
            BaseModel = baseModel!,
            TrainingFile = training!,
            ValidationFile = validation,
            Suffix = suffix,
            Seed = seed ?? RandomNumberGenerator.GetInt32(int.MaxValue),
            HyperparametersJson = hyperparameters.ToJsonString(),
            Metadata = metadata,
        };
    }

    /// <summary>
    /// The hyperparameters of <c>method</c>, or of the deprecated top-level object when there is no <c>method</c>. Both are checked.
    /// </summary>
    private static JsonObject ReadMethod(RequestFields fields)
    {
        RequestFields? deprecated = fields.Object("hyperparameters");
        JsonObject? fromDeprecated = deprecated is null ? null : ReadHyperparameters(deprecated);
        RequestFields? method = fields.Object("method");
        if (method is null)
        {
            return fromDeprecated ?? ReadHyperparameters(null);
        }
        string? type = method.String("type", required: true);
        if (type is not null && !Methods.Contains(type))
        {
            bool known = type is "dpo" or "reinforcement";
            method.Faults.Add(
                known
                    ? $"The training method '{type}' is not available on this server. Supported values are: 'supervised'."
                    : $"Invalid value: '{type}'. Supported values are: 'supervised'.",
                method.PathOf("type"),
                known ? "unsupported_value" : "invalid_value");
            // The rest belongs to a method that is not here: judging it by another method's rules would only mislead.
            method.AcceptAndIgnore("dpo", "reinforcement", "supervised");
            method.RejectUnknown();
            return [];
        }
        RequestFields? supervised = method.Object("supervised");
        RequestFields? hyperparameters = supervised?.Object("hyperparameters");
        JsonObject read = ReadHyperparameters(hyperparameters);
        supervised?.RejectUnknown();
        method.RejectUnsupported("belongs to another method than 'supervised'.", "dpo", "reinforcement");
        method.RejectUnknown();
        return read;
    }

    /// <summary>What was given, <c>"auto"</c> for the rest.</summary>
    private static JsonObject ReadHyperparameters(RequestFields? fields)
    {
        JsonObject read = new()
        {
            ["n_epochs"] = AutoOrInteger(fields, "n_epochs", EpochsMax),
            ["batch_size"] = AutoOrInteger(fields, "batch_size", BatchSizeMax),
            ["learning_rate_multiplier"] = AutoOrPositive(fields, "learning_rate_multiplier"),
        };
        fields?.RejectUnknown();
        return read;
    }

    private static JsonValue AutoOrInteger(RequestFields? fields, string name, int max)
    {
        if (fields?.Raw(name) is not JsonElement given || IsAuto(fields, name, given, "an integer"))
        {
            return JsonValue.Create("auto");
        }
        return given.ValueKind == JsonValueKind.Number && fields.Integer(given, fields.PathOf(name), 1, max) is long number
            ? JsonValue.Create(number)
            : JsonValue.Create("auto");
    }

    private static JsonValue AutoOrPositive(RequestFields? fields, string name)
    {
        if (fields?.Raw(name) is not JsonElement given || IsAuto(fields, name, given, "a number"))
        {
            return JsonValue.Create("auto");
        }
        if (given.ValueKind != JsonValueKind.Number)
        {
            return JsonValue.Create("auto");
        }
        double number = given.GetDouble();
        if (number <= 0 || !double.IsFinite(number))
        {
            fields.Faults.Add(
                $"Invalid '{fields.PathOf(name)}': decimal {(number <= 0 ? "below minimum" : "above maximum")} value. Expected a "
                + $"finite value > 0, but got {given.GetRawText()} instead.",
                fields.PathOf(name), number <= 0 ? "decimal_below_min_value" : "decimal_above_max_value");
        }
        return JsonValue.Create(number);
    }

    /// <summary>True for <c>"auto"</c>; a fault for another string or another type.</summary>
    private static bool IsAuto(RequestFields fields, string name, JsonElement given, string number)
    {
        if (given.ValueKind == JsonValueKind.String)
        {
            if (!given.ValueEquals("auto"u8))
            {
                fields.Faults.Add(
                    $"Invalid type for '{fields.PathOf(name)}': expected 'auto' or {number}, but got a string instead.",
                    fields.PathOf(name), "invalid_type");
            }
            return true;
        }
        if (given.ValueKind != JsonValueKind.Number)
        {
            fields.WrongType(fields.PathOf(name), $"'auto' or {number}", given);
            return true;
        }
        return false;
    }

    /// <summary>
    /// An integration needs credentials of a third party stored on the server. None can be stored here, so every one is refused,
    /// as upstream refuses Weights &amp; Biases without a stored key.
    /// </summary>
    private static void ReadIntegrations(RequestFields fields)
    {
        if (fields.Array("integrations", itemsMax: Limits.IntegrationsMax) is not JsonElement integrations)
        {
            return;
        }
        int index = 0;
        foreach (JsonElement item in integrations.EnumerateArray())
        {
            string at = $"integrations[{index++}]";
            if (fields.Object(item, at) is not RequestFields integration)
            {
                continue;
            }
            string? type = integration.Choice("type", ["wandb"], required: true);
            if (type is not null)
            {
                fields.Faults.Add(
                    "The integration 'wandb' is not available: this server has no Weights & Biases key.",
                    $"{at}.type", "unsupported_value");
            }
        }
    }

    private async Task<string?> FindBaseAsync(string model, ApiFaults faults, CancellationToken cancellation)
    {
        if (bases.Find(model) is not null)
        {
            return model;
        }
        TunedModel? tuned = await store.GetModelAsync(model, cancellation);
        if (tuned is not null && bases.Find(tuned.BaseModel) is not null)
        {
            return tuned.BaseModel;
        }
        string? why = bases.WhyUnusable(tuned?.BaseModel ?? model);
        faults.Add(
            $"Model {model} is not available for fine-tuning or does not exist.{(why is null ? "" : " " + why)}",
            "model", "model_not_available");
        return null;
    }

    private async Task CheckFileAsync(string? id, string param, ApiFaults faults, CancellationToken cancellation)
    {
        if (id is null)
        {
            return;
        }
        StoredFile? file = await store.GetFileAsync(id, cancellation);
        if (file is null)
        {
            faults.Add($"No such File object: {id}", param, "invalid_" + param);
        }
        else if (file.Purpose != "fine-tune")
        {
            faults.Add(
                $"File {id} has the purpose '{file.Purpose}', but must have the purpose 'fine-tune'.", param, "invalid_" + param);
        }
        else if (file.Status == FileStatus.Error)
        {
            faults.Add($"File {id} cannot be used: {file.StatusDetails}", param, "invalid_" + param);
        }
    }
}
