namespace Anneal.Client;

/// <summary>Where the service is and how to speak to it.</summary>
public sealed record AnnealClientOptions
{
    /// <summary>Where OpenAI's own service is: the address used when none is given.</summary>
    public static Uri OpenAIBaseUrl { get; } = new("https://api.openai.com/v1");

    /// <summary>Address of the API including its version, for example <c>http://127.0.0.1:8642/v1</c>.</summary>
    public required Uri BaseUrl { get; init; }

    /// <summary>Sent as bearer token.</summary>
    public required string ApiKey { get; init; }

    /// <summary>
    /// How often a request is repeated after a lost connection or an answer of 408, 409, 429 or 5xx that does not forbid it. Requests that
    /// create something carry an <c>Idempotency-Key</c>, so that a repeated one does not create twice.
    /// </summary>
    public int RetriesMax { get; init; } = 2;

    /// <summary>How long to wait for the beginning of an answer. Uploads, downloads and streams may take longer as a whole.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Transport for tests and proxies; null for the platform's. It is disposed with the client.</summary>
    public HttpMessageHandler? Handler { get; init; }

    /// <summary>Clock of the pauses between repeated requests.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Reads <c>OPENAI_BASE_URL</c> (default: OpenAI's service) and <c>OPENAI_API_KEY</c>, as OpenAI's own clients do.
    /// </summary>
    /// <exception cref="InvalidOperationException">The key is missing, or the address is not an absolute http or https URL.</exception>
    public static AnnealClientOptions FromEnvironment()
    {
        string? url = Environment.GetEnvironmentVariable("OPENAI_BASE_URL");
        string? key = Environment.GetEnvironmentVariable("OPENAI_API_KEY");
        if (string.IsNullOrWhiteSpace(key))
        {
            throw new InvalidOperationException("The environment variable OPENAI_API_KEY is not set.");
        }

        Uri baseUrl = OpenAIBaseUrl;
        if (!string.IsNullOrWhiteSpace(url)
            && (!Uri.TryCreate(url.Trim(), UriKind.Absolute, out baseUrl!) || baseUrl.Scheme is not ("http" or "https")))
        {
            throw new InvalidOperationException(
                $"The environment variable OPENAI_BASE_URL is '{url}', which is not an http or https URL such as http://127.0.0.1:8642/v1.");
        }

        return new AnnealClientOptions { BaseUrl = baseUrl, ApiKey = key.Trim() };
    }
}
