using System.Text.Json.Serialization;

namespace Anneal.Client;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(Deletion))]
[JsonSerializable(typeof(Page<ApiFile>))]
[JsonSerializable(typeof(CreateJobRequest))]
[JsonSerializable(typeof(Page<FineTuningJob>))]
[JsonSerializable(typeof(Page<JobEvent>))]
[JsonSerializable(typeof(Page<JobCheckpoint>))]
[JsonSerializable(typeof(Page<Model>))]
[JsonSerializable(typeof(ChatRequestBody))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(ChatChunk))]
internal sealed partial class ClientJson : JsonSerializerContext;
