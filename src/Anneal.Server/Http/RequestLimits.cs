using Anneal.Jobs;
using Microsoft.AspNetCore.Http;

namespace Anneal.Server.Http;

/// <summary>How large requests may be. The stored things' own limits are in <see cref="Limits"/>.</summary>
internal static class RequestLimits
{
    /// <summary>Largest JSON body: long conversations fit many times over.</summary>
    public const long JsonBodyBytesMax = 16L * 1024 * 1024;

    /// <summary>
    /// Largest body of any request: where the connection is cut. It is well above the limits that requests are held to, because
    /// a client still sending when the connection closes sees a broken pipe instead of the 413 that says what is wrong.
    /// </summary>
    public const long BodyBytesMax = 2 * Limits.FileBytesMax;

    /// <summary>Largest value of a multipart field that is not a file.</summary>
    public const int FormFieldBytesMax = 64 * 1024;

    /// <summary>All request headers together, as upstream.</summary>
    public const int HeaderBytesMax = 64 * 1024;

    /// <summary>Longest line of a training file.</summary>
    public const int JsonLineBytesMax = 64 * 1024 * 1024;

    /// <summary>413 that names the limit.</summary>
    public static ApiError TooLarge(string what, long bytesMax, string? param = null) => new(
        StatusCodes.Status413PayloadTooLarge, $"{what} is larger than the limit of {bytesMax} bytes.", param, "request_too_large");
}
