using System.Net;
using System.Text;
using Anneal.Client;

namespace Anneal.Api.Tests.Client;

/// <summary>What the client does with answers that a real server gives only on bad days.</summary>
public sealed class TransportTests
{
    [Fact]
    public async Task A_busy_service_is_asked_again_and_a_creation_keeps_its_idempotency_key()
    {
        var service = new PlayedService(Status(503), Status(429, ("retry-after-ms", "1")), Json("""{"id":"ftjob-1","created_at":1,"model":"m","status":"queued","training_file":"file-1"}"""));
        using AnnealClient client = service.Client();
        FineTuningJob job = await client.Jobs.CreateAsync(new CreateJobRequest { Model = "m", TrainingFile = "file-1" });
        Assert.Equal("ftjob-1", job.Id);
        Assert.Equal(3, service.Seen.Count);
        Assert.Single(service.Seen.Select(request => request.IdempotencyKey).Distinct());
        Assert.All(service.Seen, request => Assert.Equal("""{"model":"m","training_file":"file-1"}""", request.Body));
    }

    [Fact]
    public async Task A_service_that_says_not_to_ask_again_is_believed()
    {
        var service = new PlayedService(Status(500, ("x-should-retry", "false")));
        using AnnealClient client = service.Client();
        ServerException fault = await Assert.ThrowsAsync<ServerException>(() => client.Jobs.RetrieveAsync("ftjob-1"));
        Assert.Equal(HttpStatusCode.InternalServerError, fault.Status);
        Assert.Single(service.Seen);
    }

    [Fact]
    public async Task Retries_end_and_the_last_refusal_is_told()
    {
        var service = new PlayedService(Status(503), Status(503), Status(503));
        using AnnealClient client = service.Client();
        await Assert.ThrowsAsync<ServerException>(() => client.Jobs.RetrieveAsync("ftjob-1"));
        Assert.Equal(3, service.Seen.Count);
    }

    [Theory]
    [InlineData(400, typeof(BadRequestException))]
    [InlineData(401, typeof(AuthenticationException))]
    [InlineData(403, typeof(AuthenticationException))]
    [InlineData(404, typeof(NotFoundException))]
    [InlineData(418, typeof(ApiException))]
    public async Task A_refusal_is_an_exception_of_its_kind_with_all_that_was_said(int status, Type kind)
    {
        HttpResponseMessage answer = Json("""{"error":{"message":"No.","type":"invalid_request_error","param":"model","code":"nope"}}""", status);
        answer.Headers.Add("x-request-id", "req_1");
        using AnnealClient client = new PlayedService(answer).Client();
        ApiException fault = (ApiException)await Assert.ThrowsAsync(kind, () => client.Models.RetrieveAsync("m"));
        Assert.Equal(("No.", "invalid_request_error", "model", "nope", "req_1"),
            (fault.Message, fault.ErrorType, fault.Param, fault.Code, fault.RequestId));
    }

    [Fact]
    public async Task An_error_page_of_something_in_between_is_told_by_its_status()
    {
        using AnnealClient client = new PlayedService(Status(404, body: "<html>")).Client();
        NotFoundException fault = await Assert.ThrowsAsync<NotFoundException>(() => client.Models.RetrieveAsync("m"));
        Assert.Equal("The service answered 404 Not Found.", fault.Message);
    }

    [Fact]
    public async Task An_answer_that_breaks_the_contract_is_a_connection_fault_and_not_a_null()
    {
        using AnnealClient client = new PlayedService(Json("""{"id":"m"}""")).Client();
        await Assert.ThrowsAsync<ConnectionException>(() => client.Models.RetrieveAsync("m"));
    }

    [Fact]
    public async Task Values_and_members_of_later_versions_are_kept_or_ignored()
    {
        using AnnealClient client = new PlayedService(Json(
            """{"id":"ftjob-1","created_at":1.0,"model":"m","status":"simmering","training_file":"f","error":{},"hyperparameters":null,"new":[1]}""")).Client();
        FineTuningJob job = await client.Jobs.RetrieveAsync("ftjob-1");
        Assert.Equal(new JobStatus("simmering"), job.Status);
        Assert.False(job.Status.IsFinal);
        Assert.Null(job.Error?.Message);
    }

    [Fact]
    public async Task Pages_are_fetched_as_they_are_reached()
    {
        var service = new PlayedService(
            Json("""{"object":"list","data":[{"id":"a/1","created":1},{"id":"b","created":1}],"has_more":true}"""),
            Json("""{"object":"list","data":[{"id":"c","created":1}],"has_more":false}"""));
        using AnnealClient client = service.Client();
        IAsyncEnumerator<Model> models = client.Models.ListAsync().GetAsyncEnumerator();
        await using (models)
        {
            Assert.True(await models.MoveNextAsync());
            Assert.Single(service.Seen);
            Assert.True(await models.MoveNextAsync() && await models.MoveNextAsync());
            Assert.Equal("c", models.Current.Id);
            Assert.False(await models.MoveNextAsync());
        }

        Assert.EndsWith("/v1/models?after=b", service.Seen[1].Uri);
    }

    [Fact]
    public async Task A_stream_is_read_piece_by_piece_and_comments_are_skipped()
    {
        using AnnealClient client = new PlayedService(Stream(
            ": ping\n\n" + Chunk("Hel") + Chunk("lo") + "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}\n\ndata: [DONE]\n\n"))
            .Client();
        List<ChatChunk> chunks = await client.Chat.StreamAsync(Question).ToListAsync();
        Assert.Equal("Hello", string.Concat(chunks.Select(chunk => chunk.Text)));
        Assert.Equal(3, chunks[^1].Usage!.TotalTokens);
    }

    [Fact]
    public async Task A_stream_that_breaks_off_is_not_a_short_answer()
    {
        using AnnealClient client = new PlayedService(Stream(Chunk("Hel"))).Client();
        await Assert.ThrowsAsync<ConnectionException>(async () => await client.Chat.StreamAsync(Question).ToListAsync());
    }

    [Fact]
    public async Task An_error_in_the_middle_of_a_stream_is_the_service_s_own()
    {
        using AnnealClient client = new PlayedService(Stream(
            Chunk("Hel") + "data: {\"error\":{\"message\":\"Out of memory.\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n")).Client();
        ApiException fault = await Assert.ThrowsAsync<ApiException>(async () => await client.Chat.StreamAsync(Question).ToListAsync());
        Assert.Equal(("Out of memory.", "server_error"), (fault.Message, fault.ErrorType));
    }

    [Fact]
    public async Task A_service_that_does_not_answer_in_time_is_a_connection_fault()
    {
        var service = new PlayedService(async cancellation =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return null!;
        });
        using AnnealClient client = service.Client(timeout: TimeSpan.FromMilliseconds(30), retries: 0);
        await Assert.ThrowsAsync<ConnectionException>(() => client.Models.RetrieveAsync("m"));
    }

    private static ChatRequest Question => new() { Model = "m", Messages = [ChatMessage.User("Hi")] };

    private static string Chunk(string text) =>
        $$$"""data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"{{{text}}}"},"finish_reason":null}]}""" + "\n\n";

    private static HttpResponseMessage Json(string body, int status = 200) =>
        new((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    private static HttpResponseMessage Stream(string body) =>
        new(HttpStatusCode.OK) { Content = new StringContent(body, Encoding.UTF8, "text/event-stream") };

    private static HttpResponseMessage Status(int status, (string Name, string Value)? header = null, string body = "")
    {
        var answer = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body) };
        if (header is var (name, value))
        {
            answer.Headers.Add(name, value);
        }

        return answer;
    }

    /// <summary>Gives prepared answers in turn and remembers what was asked.</summary>
    private sealed class PlayedService : HttpMessageHandler
    {
        private readonly Queue<Func<CancellationToken, Task<HttpResponseMessage>>> _answers;

        public PlayedService(params HttpResponseMessage[] answers) =>
            _answers = new(answers.Select<HttpResponseMessage, Func<CancellationToken, Task<HttpResponseMessage>>>(answer => _ => Task.FromResult(answer)));

        public PlayedService(Func<CancellationToken, Task<HttpResponseMessage>> answer) => _answers = new([answer]);

        public List<(string Uri, string? Body, string? IdempotencyKey)> Seen { get; } = [];

        public AnnealClient Client(TimeSpan? timeout = null, int retries = 2) => new(new AnnealClientOptions
        {
            BaseUrl = new Uri("http://service/v1/"),
            ApiKey = "key",
            Handler = this,
            RetriesMax = retries,
            Timeout = timeout ?? TimeSpan.FromSeconds(10),
            Time = new HastyClock(),
        });

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Equal("Bearer key", request.Headers.Authorization!.ToString());
            string? body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
            request.Headers.TryGetValues("Idempotency-Key", out IEnumerable<string>? keys);
            Seen.Add((request.RequestUri!.ToString(), body, keys?.Single()));
            return await _answers.Dequeue()(cancellationToken);
        }
    }

    /// <summary>Timers of a second and less run at a hundredth of their time, so that pauses cost tests nothing.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime <= TimeSpan.FromSeconds(1) ? dueTime / 100 : dueTime, period);
    }
}
