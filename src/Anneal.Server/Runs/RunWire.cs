using System.Text.Json;
using System.Text.Json.Serialization;

namespace Anneal.Server.Runs;

/// <summary>Everything that server and worker say to each other about a run. They are one program, so one set of types.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RunSpec))]
[JsonSerializable(typeof(HeartbeatReport))]
[JsonSerializable(typeof(EventReport))]
[JsonSerializable(typeof(CheckpointReport))]
[JsonSerializable(typeof(FinishReport))]
[JsonSerializable(typeof(FailureReport))]
[JsonSerializable(typeof(BlobAnswer))]
[JsonSerializable(typeof(DirectiveAnswer))]
internal sealed partial class RunJson : JsonSerializerContext;

/// <summary>What a worker needs to know to do its run.</summary>
/// <param name="RunId">The run.</param>
/// <param name="JobId">The job.</param>
/// <param name="Attempt">Which attempt at the job this is, from 1.</param>
/// <param name="BaseModelFolder">The base model's folder in Hugging Face layout, on a disk that worker and server share.</param>
/// <param name="StartFrom">The files of the tuned model to go on from; empty when training starts from the base.</param>
/// <param name="TrainingFile">The training data.</param>
/// <param name="ValidationFile">The validation data, or null.</param>
/// <param name="MethodType">The training method.</param>
/// <param name="Hyperparameters">An object of numbers.</param>
/// <param name="Seed">The job's seed.</param>
/// <param name="State">The run state to go on from, or null.</param>
/// <param name="HeartbeatSeconds">How often the worker reports.</param>
/// <param name="StateSeconds">How often the worker saves its state.</param>
/// <param name="GiveUpSeconds">How long the worker goes on without a server.</param>
internal sealed record RunSpec(
    string RunId,
    string JobId,
    long Attempt,
    string BaseModelFolder,
    IReadOnlyList<RemoteFile> StartFrom,
    RemoteFile TrainingFile,
    RemoteFile? ValidationFile,
    string MethodType,
    JsonElement Hyperparameters,
    long Seed,
    RemoteFile? State,
    double HeartbeatSeconds,
    double StateSeconds,
    double GiveUpSeconds);

/// <summary>Bytes that the server holds for a run.</summary>
/// <param name="Name">A file's id, a file name of a model, or the step of a run state.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">SHA-256 in lower-case hexadecimal.</param>
internal sealed record RemoteFile(string Name, long Bytes, string Sha256);

/// <summary>A sign of life.</summary>
/// <param name="Step">Optimiser steps done.</param>
/// <param name="SecondsLeft">Expected time to the end; null while nothing was measured.</param>
internal sealed record HeartbeatReport(int Step, double? SecondsLeft);

/// <summary>A batch of events.</summary>
internal sealed record EventReport(IReadOnlyList<EventItem> Events);

/// <summary>One event; see <see cref="Anneal.Jobs.RunEvent"/>.</summary>
internal sealed record EventItem(long Sequence, string Level, string Message, int? Step, JsonElement? Data);

/// <summary>A checkpoint whose files have been uploaded.</summary>
/// <param name="Id">The checkpoint's id, chosen by the worker, part of the files' addresses.</param>
/// <param name="Step">Optimiser steps behind it.</param>
/// <param name="Final">True for the last step of training.</param>
/// <param name="Metrics">An object of numbers.</param>
/// <param name="Files">The files, as the worker has them.</param>
internal sealed record CheckpointReport(
    string Id, int Step, bool Final, JsonElement Metrics, IReadOnlyList<RemoteFile> Files);

/// <summary>Training is done and everything is uploaded.</summary>
internal sealed record FinishReport(long TrainedTokens);

/// <summary>The job cannot succeed, however often it is tried.</summary>
internal sealed record FailureReport(string Code, string Message, string? Param);

/// <summary>What the server stored of an upload.</summary>
internal sealed record BlobAnswer(long Bytes, string Sha256);

/// <summary>What the worker is to do: <c>continue</c>, <c>pause</c> or <c>stop</c>.</summary>
internal sealed record DirectiveAnswer(string Directive);
