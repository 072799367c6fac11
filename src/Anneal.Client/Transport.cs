using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Anneal.Client;

/// <summary>Sends requests, repeats those that may be repeated, and turns refusals into exceptions.</summary>
internal sealed class Transport : IDisposable
{
    private static readonly TimeSpan RetryDelayMin = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RetryDelayMax = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan RetryAfterMax = TimeSpan.FromSeconds(120);

    private readonly HttpClient _http;
    private readonly AnnealClientOptions _options;
    private readonly string _base;

    public Transport(AnnealClientOptions options)
    {
        _options = options;
        _base = options.BaseUrl.AbsoluteUri.TrimEnd('/');
#pragma warning disable CA2000 // The client disposes its handler.
        _http = new HttpClient(
            options.Handler ?? new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(15) }, disposeHandler: true)
        {
            // Requests have their own limit: a stream may go on for longer than any answer may take to begin.
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        };
#pragma warning restore CA2000
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.ApiKey);
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("anneal-client/0.1");
    }

    public void Dispose() => _http.Dispose();

    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, path, null, type, cancellation);

    /// <summary>Sends a request and reads the answer as JSON. <paramref name="content"/> is called once an attempt.</summary>
    public async Task<T> SendAsync<T>(
        HttpMethod method, string path, Func<HttpContent?>? content, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await SendAsync(method, path, content, cancellation).ConfigureAwait(false);
        try
        {
            using Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            return await JsonSerializer.DeserializeAsync(body, type, cancellation).ConfigureAwait(false)
                ?? throw new JsonException("It is null.");
        }
        catch (JsonException fault)
        {
            throw new ConnectionException($"The answer of {_base}/{path} is not what the API says: {fault.Message}", fault);
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException)
        {
            throw new ConnectionException($"The answer of {_base}/{path} broke off.", fault);
        }
    }

    /// <summary>Sends a request; the caller disposes the answer, whose status is a success.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, Func<HttpContent?>? content, CancellationToken cancellation)
    {
        string? idempotencyKey = method == HttpMethod.Post ? Guid.NewGuid().ToString("N") : null;
        for (int attempt = 0; ; attempt++)
        {
            HttpResponseMessage response;
            try
            {
                response = await AttemptAsync(method, path, content?.Invoke(), idempotencyKey, cancellation).ConfigureAwait(false);
            }
            catch (ConnectionException) when (attempt < _options.RetriesMax)
            {
                await Task.Delay(Backoff(attempt), _options.Time, cancellation).ConfigureAwait(false);
                continue;
            }

            if (response.IsSuccessStatusCode)
            {
                return response;
            }

            using (response)
            {
                if (attempt < _options.RetriesMax && MayRetry(response))
                {
                    await Task.Delay(RetryAfter(response) ?? Backoff(attempt), _options.Time, cancellation).ConfigureAwait(false);
                    continue;
                }

                throw await RefusalAsync(response, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Lists item by item, asking for further pages as they are reached.</summary>
    public async IAsyncEnumerable<T> ListAsync<T>(
        string path, int? pageSize, string? after, JsonTypeInfo<Page<T>> type, Func<T, string> id,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        char separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        while (true)
        {
            string limit = pageSize is int size ? string.Create(CultureInfo.InvariantCulture, $"limit={size}") : "";
            string cursor = after is null ? "" : $"after={Uri.EscapeDataString(after)}";
            string query = string.Join('&', new[] { limit, cursor }.Where(part => part.Length > 0));
            Page<T> page = await GetAsync(query.Length > 0 ? $"{path}{separator}{query}" : path, type, cancellation).ConfigureAwait(false);
            foreach (T item in page.Data)
            {
                yield return item;
            }

            if (!page.HasMore || page.Data.Count == 0)
            {
                yield break;
            }

            after = id(page.Data[^1]);
        }
    }

    private async Task<HttpResponseMessage> AttemptAsync(
        HttpMethod method, string path, HttpContent? content, string? idempotencyKey, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, $"{_base}/{path}") { Content = content };
        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        using var limit = new CancellationTokenSource(_options.Timeout, _options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException fault) when (!cancellation.IsCancellationRequested)
        {
            throw new ConnectionException($"{_base} did not answer within {_options.Timeout}.", fault);
        }
        catch (HttpRequestException fault)
        {
            throw new ConnectionException($"{_base} cannot be reached: {Innermost(fault)}", fault);
        }
    }

    private static string Innermost(Exception fault)
    {
        while (fault.InnerException is Exception inner)
        {
            fault = inner;
        }

        return fault.Message;
    }

    private static bool MayRetry(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues("x-should-retry", out IEnumerable<string>? said))
        {
            return string.Equals(said.First(), "true", StringComparison.OrdinalIgnoreCase);
        }

        return (int)response.StatusCode is 408 or 409 or 429 or >= 500;
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues("retry-after-ms", out IEnumerable<string>? text)
            && double.TryParse(text.First(), CultureInfo.InvariantCulture, out double milliseconds)
            && milliseconds >= 0 && milliseconds <= RetryAfterMax.TotalMilliseconds)
        {
            return TimeSpan.FromMilliseconds(milliseconds);
        }

        TimeSpan? delta = response.Headers.RetryAfter?.Delta;
        return delta <= RetryAfterMax ? delta : null;
    }

    private static TimeSpan Backoff(int attempt) =>
        TimeSpan.FromTicks(Math.Min(RetryDelayMax.Ticks, RetryDelayMin.Ticks << Math.Min(attempt, 10)));

    private static async Task<ApiException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        HttpStatusCode status = response.StatusCode;
        string? requestId = response.Headers.TryGetValues("x-request-id", out IEnumerable<string>? ids) ? ids.First() : null;
        string body = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        ApiErrorDetail? error = null;
        try
        {
            error = JsonSerializer.Deserialize(body, ClientJson.Default.ErrorEnvelope)?.Error;
        }
        catch (JsonException)
        {
            // Something between client and service answered in its own words; the status says what there is to say.
        }

        error ??= new ApiErrorDetail();
        return ApiException.From(
            status, error.Message is null ? error with { Message = $"The service answered {(int)status} {response.ReasonPhrase}." } : error, requestId);
    }
}
