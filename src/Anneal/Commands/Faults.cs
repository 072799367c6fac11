using System.Net;
using Anneal.Client;
using Anneal.Engine.Data;
using Anneal.Engine.Methods;

namespace Anneal.Cli.Commands;

/// <summary>Faults that are not bugs, in one sentence. Anything else keeps its stack trace.</summary>
internal static class Faults
{
    /// <summary>What to tell the user, or null when the exception is not one that is expected.</summary>
    public static string? Describe(Exception fault) => fault switch
    {
        Anneal.Client.AuthenticationException { Status: HttpStatusCode.Unauthorized } api =>
            $"{api.Message} OPENAI_API_KEY must be a key of this server.",
        ApiException { Param: not null } api when !api.Message.Contains(api.Param, StringComparison.Ordinal) => $"{api.Message} ({api.Param})",
        ApiException api => api.Message,
        ConnectionException => fault.Message.TrimEnd('.') + ". Is the server running, and is OPENAI_BASE_URL its address?",
        FileNotFoundException { FileName: string name } => $"There is no file {name}.",
        DirectoryNotFoundException or FileNotFoundException or InvalidDataException or UnauthorizedAccessException => fault.Message,
        IOException => fault.Message,
        MemoryLimitException or TrainingDivergedException or MaskingException => fault.Message,
        OutOfMemoryException => fault.Message,
        _ => null,
    };
}
