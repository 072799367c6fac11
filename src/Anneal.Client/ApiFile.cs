using System.Text.Json.Serialization;

namespace Anneal.Client;

/// <summary>A file that the service keeps.</summary>
public sealed record ApiFile
{
    /// <summary>Id, <c>file-…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Size in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>When it was stored.</summary>
    [JsonConverter(typeof(UnixTimeConverter))]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it will be deleted by itself; null for never.</summary>
    [JsonConverter(typeof(UnixTimeConverter))]
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The name it was uploaded with.</summary>
    public required string Filename { get; init; }

    /// <summary>What it is for.</summary>
    public required FilePurpose Purpose { get; init; }

    /// <summary>Whether it can be used.</summary>
    public FileStatus Status { get; init; }

    /// <summary>What is wrong with it, when something is.</summary>
    public string? StatusDetails { get; init; }
}

/// <summary>What a file is for. Values unknown to this version are kept as they are.</summary>
/// <param name="Value">The word on the wire.</param>
[JsonConverter(typeof(FilePurposeConverter))]
public readonly record struct FilePurpose(string Value)
{
    /// <summary>Training or validation data.</summary>
    public static FilePurpose FineTune { get; } = new("fine-tune");

    /// <summary>The metrics of a finished job.</summary>
    public static FilePurpose FineTuneResults { get; } = new("fine-tune-results");

    /// <summary>The word on the wire.</summary>
    public override string ToString() => Value ?? "";
}

/// <summary>Whether a file can be used. Values unknown to this version are kept as they are.</summary>
/// <param name="Value">The word on the wire.</param>
[JsonConverter(typeof(FileStatusConverter))]
public readonly record struct FileStatus(string Value)
{
    /// <summary>Stored, not yet looked at.</summary>
    public static FileStatus Uploaded { get; } = new("uploaded");

    /// <summary>Ready for use.</summary>
    public static FileStatus Processed { get; } = new("processed");

    /// <summary>Unusable: see <see cref="ApiFile.StatusDetails"/>.</summary>
    public static FileStatus Error { get; } = new("error");

    /// <summary>The word on the wire.</summary>
    public override string ToString() => Value ?? "";
}

internal sealed class FilePurposeConverter() : OpenValueConverter<FilePurpose>(word => new(word), value => value.Value);

internal sealed class FileStatusConverter() : OpenValueConverter<FileStatus>(word => new(word), value => value.Value);
