using System.Globalization;
using System.Text;
using Anneal.Jobs;
using Anneal.Jobs.Blobs;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Anneal.Server.Files;

/// <summary>
/// One multipart upload: the file streams straight into a blob, whatever the order of the parts; then everything is checked
/// together. A refused upload leaves nothing behind.
/// </summary>
internal sealed class FileUpload(IBlobStore blobs, TimeProvider time, long bytesMax)
{
    private static readonly string[] Purposes = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];
    private const long ExpirySecondsMin = 3600;
    private const long ExpirySecondsMax = 2_592_000;

    private readonly ApiFaults _faults = new();
    private readonly Dictionary<string, string> _fields = new(StringComparer.Ordinal);
    private readonly string _id = Ids.File();
    private BlobInfo? _blob;
    private string? _fileName;

    /// <summary>Reads the request and stores the blob.</summary>
    /// <returns>The file to record; its blob is on disk.</returns>
    /// <exception cref="ApiException">What is wrong with the request.</exception>
    public async Task<StoredFile> ReceiveAsync(HttpContext context, CancellationToken cancellation)
    {
        try
        {
            await ReadPartsAsync(MultipartOf(context.Request), cancellation);
            StoredFile file = Check(cancellation);
            return file;
        }
        catch
        {
            if (_blob is not null)
            {
                blobs.Delete(_blob.Key);
            }
            throw;
        }
    }

    private static MultipartReader MultipartOf(HttpRequest request)
    {
        bool multipart = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);
        if (!multipart)
        {
            throw new ApiException(RequestBody.UnsupportedType(request.ContentType, "multipart/form-data"));
        }
        string? boundary = HeaderUtilities.RemoveQuotes(type!.Boundary).Value;
        if (string.IsNullOrEmpty(boundary))
        {
            throw new ApiException(ApiError.Bad("The multipart content type names no boundary."));
        }
        return new MultipartReader(boundary, request.Body);
    }

    private async Task ReadPartsAsync(MultipartReader reader, CancellationToken cancellation)
    {
        try
        {
            while (await reader.ReadNextSectionAsync(cancellation) is MultipartSection section)
            {
                await ReadPartAsync(section, cancellation);
            }
        }
        catch (BlobTooLargeException tooLarge)
        {
            throw new ApiException(RequestLimits.TooLarge("The file", tooLarge.BytesMax, "file"));
        }
        catch (Exception broken) when (broken is InvalidDataException
            || (broken is IOException && broken is not (BadHttpRequestException or BlobStorageException)))
        {
            throw new ApiException(ApiError.Bad($"The multipart body is broken: {broken.Message}"));
        }
    }

    private async Task ReadPartAsync(MultipartSection section, CancellationToken cancellation)
    {
        if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out ContentDispositionHeaderValue? disposition)
            || HeaderUtilities.RemoveQuotes(disposition.Name).Value is not { Length: > 0 } name)
        {
            throw new ApiException(ApiError.Bad("A part of the multipart body has no name in its content-disposition."));
        }
        if (name == "file")
        {
            await ReadFileAsync(section, disposition, cancellation);
            return;
        }
        if (!_fields.TryAdd(name, await ReadFieldAsync(section.Body, name, cancellation)))
        {
            _faults.Add($"Invalid '{name}': the parameter is given more than once.", name, "invalid_value");
        }
    }

    private async Task ReadFileAsync(
        MultipartSection section, ContentDispositionHeaderValue disposition, CancellationToken cancellation)
    {
        if (_blob is not null)
        {
            throw new ApiException(ApiError.Bad("Invalid 'file': only one file can be uploaded at a time.", "file", "invalid_value"));
        }
        string? name = HeaderUtilities.RemoveQuotes(disposition.FileNameStar).Value
            ?? HeaderUtilities.RemoveQuotes(disposition.FileName).Value;
        if (name is null)
        {
            await section.Body.CopyToAsync(Stream.Null, cancellation);
            _faults.Add("Invalid type for 'file': expected a file, but got a plain field instead.", "file", "invalid_type");
            return;
        }
        _fileName = Path.GetFileName(name.Replace('\\', '/')) is { Length: > 0 } last ? last : "upload";
        _blob = await blobs.WriteAsync($"files/{_id}", section.Body, bytesMax, cancellation);
    }

    private static async Task<string> ReadFieldAsync(Stream body, string name, CancellationToken cancellation)
    {
        byte[] buffer = new byte[RequestLimits.FormFieldBytesMax + 1];
        int length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
        if (length == buffer.Length)
        {
            throw new ApiException(ApiError.Bad(
                $"Invalid '{name}': the field is longer than {RequestLimits.FormFieldBytesMax} bytes.",
                name, "string_above_max_length"));
        }
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private StoredFile Check(CancellationToken cancellation)
    {
        if (_blob is null && !_faults.Has("file"))
        {
            _faults.Add("Missing required parameter: 'file'.", "file", "missing_required_parameter");
        }
        string? purpose = CheckPurpose();
        TimeSpan? life = CheckExpiry();
        foreach (string name in _fields.Keys.Where(n => n is not ("purpose" or "expires_after[anchor]" or "expires_after[seconds]")))
        {
            _faults.Add($"Unknown parameter: '{name}'.", name, "unknown_parameter");
        }
        if (_blob is not null && purpose is "fine-tune")
        {
            CheckJsonLines(_blob.Key, cancellation);
        }
        if (_faults.ToError() is ApiError error)
        {
            throw new ApiException(error);
        }
        DateTimeOffset now = time.GetUtcNow();
        return new StoredFile
        {
            Id = _id,
            FileName = _fileName!,
            Purpose = purpose!,
            Bytes = _blob!.Bytes,
            Sha256 = _blob.Sha256,
            BlobKey = _blob.Key,
            CreatedAt = now,
            ExpiresAt = now + life,
            Status = FileStatus.Processed,
        };
    }

    private void CheckJsonLines(string key, CancellationToken cancellation)
    {
        using Stream content = blobs.OpenRead(key) ?? throw new InvalidOperationException($"The blob {key} was just written and is gone.");
        if (JsonLines.FindFault(content, cancellation) is string fault)
        {
            _faults.Add(fault, "file", null);
        }
    }

    private string? CheckPurpose()
    {
        if (!_fields.TryGetValue("purpose", out string? purpose))
        {
            _faults.Add("Missing required parameter: 'purpose'.", "purpose", "missing_required_parameter");
            return null;
        }
        if (!Purposes.Contains(purpose))
        {
            _faults.Add(
                $"Invalid value: '{purpose}'. Supported values are: '{string.Join("', '", Purposes)}'.", "purpose", "invalid_value");
            return null;
        }
        return purpose;
    }

    private TimeSpan? CheckExpiry()
    {
        bool hasAnchor = _fields.TryGetValue("expires_after[anchor]", out string? anchor);
        bool hasSeconds = _fields.TryGetValue("expires_after[seconds]", out string? text);
        if (!hasAnchor && !hasSeconds)
        {
            return null;
        }
        if (anchor is not "created_at")
        {
            _faults.Add(
                hasAnchor
                    ? $"Invalid value: '{anchor}'. Supported values are: 'created_at'."
                    : "Missing required parameter: 'expires_after[anchor]'.",
                "expires_after[anchor]", hasAnchor ? "invalid_value" : "missing_required_parameter");
        }
        if (!hasSeconds)
        {
            _faults.Add(
                "Missing required parameter: 'expires_after[seconds]'.", "expires_after[seconds]", "missing_required_parameter");
            return null;
        }
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long seconds))
        {
            _faults.Add(
                $"Invalid type for 'expires_after[seconds]': expected an integer, but got '{text}' instead.",
                "expires_after[seconds]", "invalid_type");
            return null;
        }
        if (seconds is < ExpirySecondsMin or > ExpirySecondsMax)
        {
            bool below = seconds < ExpirySecondsMin;
            _faults.Add(
                $"Invalid 'expires_after[seconds]': integer {(below ? "below minimum" : "above maximum")} value. Expected a value "
                + $"{(below ? $">= {ExpirySecondsMin}" : $"<= {ExpirySecondsMax}")}, but got {seconds} instead.",
                "expires_after[seconds]", below ? "integer_below_min_value" : "integer_above_max_value");
            return null;
        }
        return TimeSpan.FromSeconds(seconds);
    }
}
