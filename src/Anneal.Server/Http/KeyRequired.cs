using Anneal.Jobs;
using Microsoft.AspNetCore.Http;

namespace Anneal.Server.Http;

/// <summary>Marks an endpoint that checks another credential itself, such as a run's token. Every other URL needs an API key.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OwnCredentialAttribute : Attribute;

/// <summary>
/// Lets a request pass when it shows a working API key. It applies to every URL, known or not, so that a new route cannot be
/// forgotten; <see cref="OwnCredentialAttribute"/> is the only exception.
/// </summary>
internal sealed class KeyRequired(RequestDelegate next, ApiKeys keys)
{
    private const string Scheme = "Bearer ";

    /// <summary>Checks the key and goes on, or answers 401.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<OwnCredentialAttribute>() is not null)
        {
            await next(context);
            return;
        }
        string header = context.Request.Headers.Authorization.ToString();
        string secret = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : "";
        if (secret.Length == 0)
        {
            await Refuse(context, MissingKey);
            return;
        }
        ApiKey? key = await keys.FindAsync(secret, context.RequestAborted);
        if (key is null)
        {
            await Refuse(context, WrongKey(secret));
            return;
        }
        context.Items[typeof(ApiKey)] = key;
        await next(context);
    }

    /// <summary>The key that the current request showed.</summary>
    public static ApiKey Of(HttpContext context) => (ApiKey)context.Items[typeof(ApiKey)]!;

    private static ApiError MissingKey { get; } = new(
        StatusCodes.Status401Unauthorized,
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
        + "(i.e. Authorization: Bearer YOUR_KEY). The server printed a key when it was first started and keeps it in the file "
        + "api-key of its data folder.");

    private ApiError WrongKey(string secret) => new(
        StatusCodes.Status401Unauthorized,
        $"Incorrect API key provided: {Mask(secret)}. You can find your API key at {keys.FirstKeyPath} on the server.",
        Code: "invalid_api_key");

    /// <summary>Enough of a key to recognise it, never enough to use it.</summary>
    private static string Mask(string secret) =>
        secret.Length < 16 ? new string('*', secret.Length) : $"{secret[..3]}{new string('*', 8)}{secret[^4..]}";

    private static Task Refuse(HttpContext context, ApiError error)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return error.ExecuteAsync(context);
    }
}
