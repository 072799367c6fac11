using System.Text.Json.Serialization;
using Anneal.Jobs;

namespace Anneal.Server.Files;

/// <summary>An <c>OpenAIFile</c>. Optional members are left out when there is nothing to say.</summary>
internal sealed record FileWire(
    string Id,
    string Object,
    long Bytes,
    long CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? ExpiresAt,
    string Filename,
    string Purpose,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? StatusDetails)
{
    /// <summary>The file as users see it.</summary>
    public static FileWire Of(StoredFile file) => new(
        file.Id,
        "file",
        file.Bytes,
        file.CreatedAt.ToUnixTimeSeconds(),
        file.ExpiresAt?.ToUnixTimeSeconds(),
        file.FileName,
        file.Purpose,
        file.Status.ToName(),
        file.StatusDetails);
}
