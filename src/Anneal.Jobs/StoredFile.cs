namespace Anneal.Jobs;

/// <summary>What became of a file's check.</summary>
public enum FileStatus
{
    /// <summary>Stored, not checked yet.</summary>
    Uploaded,

    /// <summary>Stored and usable.</summary>
    Processed,

    /// <summary>Stored, but unusable; <see cref="StoredFile.StatusDetails"/> says why.</summary>
    Error,
}

/// <summary>A file that a user uploaded or a job produced.</summary>
public sealed record StoredFile
{
    /// <summary><c>file-</c> and 24 letters and digits.</summary>
    public required string Id { get; init; }

    /// <summary>The name the user gave.</summary>
    public required string FileName { get; init; }

    /// <summary><c>fine-tune</c>, <c>fine-tune-results</c> or another of the API's purposes.</summary>
    public required string Purpose { get; init; }

    /// <summary>Length in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>SHA-256 of the bytes in lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Key in the blob store.</summary>
    public required string BlobKey { get; init; }

    /// <summary>When it was stored.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it disappears; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What became of its check.</summary>
    public required FileStatus Status { get; init; }

    /// <summary>What is wrong; null unless <see cref="FileStatus.Error"/>.</summary>
    public string? StatusDetails { get; init; }
}

/// <summary>The names of <see cref="FileStatus"/> on the wire and in the database.</summary>
public static class FileStatusNames
{
    /// <summary>The wire name.</summary>
    public static string ToName(this FileStatus status) => status switch
    {
        FileStatus.Uploaded => "uploaded",
        FileStatus.Processed => "processed",
        FileStatus.Error => "error",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Not a file status."),
    };

    /// <summary>The status with this wire name.</summary>
    /// <exception cref="FormatException">No status has this name.</exception>
    public static FileStatus Parse(string name) => name switch
    {
        "uploaded" => FileStatus.Uploaded,
        "processed" => FileStatus.Processed,
        "error" => FileStatus.Error,
        _ => throw new FormatException($"'{name}' is not a file status."),
    };
}
