using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Anneal.Jobs.Blobs;
using Anneal.Server.Files;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Anneal.Api.Tests.Files;

public sealed class FileTests
{
    [Fact]
    public async Task An_uploaded_file_is_stored_byte_for_byte()
    {
        await using TestServer server = await TestServer.StartAsync();
        byte[] bytes = Requests.TrainingFile();
        JsonElement file = await server.UploadAsync(bytes);
        Assert.Matches("^file-[A-Za-z0-9]{24}$", file.Text("id"));
        Assert.Equal((bytes.Length, "train.jsonl", "fine-tune", "processed"),
            (file.GetProperty("bytes").GetInt32(), file.Text("filename"), file.Text("purpose"), file.Text("status")));
        Assert.False(file.TryGetProperty("expires_at", out _));
        Assert.True(JsonElement.DeepEquals(file, await server.GetJsonAsync($"/v1/files/{file.Text("id")}")));
        Assert.Equal(bytes, await server.Http.GetByteArrayAsync($"/v1/files/{file.Text("id")}/content"));
    }

    [Fact]
    public async Task Content_is_served_whatever_the_client_accepts_and_in_ranges()
    {
        await using TestServer server = await TestServer.StartAsync();
        byte[] bytes = Requests.TrainingFile();
        string id = (await server.UploadAsync(bytes)).Text("id");
        using HttpRequestMessage request = new(HttpMethod.Get, $"/v1/files/{id}/content");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/binary"));
        request.Headers.Range = new RangeHeaderValue(5, 14);
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(bytes[5..15], await response.Content.ReadAsByteArrayAsync());
        Assert.Equal($"bytes 5-14/{bytes.Length}", response.Content.Headers.ContentRange!.ToString());

        using HttpRequestMessage beyond = new(HttpMethod.Get, $"/v1/files/{id}/content");
        beyond.Headers.Range = new RangeHeaderValue(bytes.Length + 1, null);
        using HttpResponseMessage refused = await server.Http.SendAsync(beyond);
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, refused.StatusCode);
    }

    [Fact]
    public async Task A_deleted_file_is_gone_everywhere()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.UploadTrainingFileAsync();
        JsonElement deletion = await server.DeleteJsonAsync($"/v1/files/{id}");
        Assert.Equal((id, "file", true), (deletion.Text("id"), deletion.Text("object"), deletion.GetProperty("deleted").GetBoolean()));
        foreach (string path in new[] { $"/v1/files/{id}", $"/v1/files/{id}/content" })
        {
            JsonElement answer = await server.GetJsonAsync(path, HttpStatusCode.NotFound);
            Assert.Equal(($"No such File object: {id}", "invalid_request_error", "id", null), answer.Error());
        }
        await server.DeleteJsonAsync($"/v1/files/{id}", HttpStatusCode.NotFound);
        Assert.Empty((await server.GetJsonAsync("/v1/files")).Ids());
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repeat_in_both_orders()
    {
        await using TestServer server = await TestServer.StartAsync();
        List<string> made = [];
        for (int i = 0; i < 7; i++)
        {
            made.Add(await server.UploadTrainingFileAsync());
        }
        await server.UploadAsync("hello"u8.ToArray(), "user_data", "note.txt");
        foreach (string order in new[] { "asc", "desc" })
        {
            List<string> seen = [];
            string after = "";
            bool more = true;
            while (more)
            {
                JsonElement page = await server.GetJsonAsync($"/v1/files?purpose=fine-tune&limit=3&order={order}{after}");
                string[] ids = page.Ids();
                seen.AddRange(ids);
                Assert.Equal((ids[0], ids[^1]), (page.Text("first_id"), page.Text("last_id")));
                more = page.GetProperty("has_more").GetBoolean();
                after = $"&after={ids[^1]}";
            }
            Assert.Equal(order == "asc" ? made : Enumerable.Reverse(made), seen);
            JsonElement end = await server.GetJsonAsync($"/v1/files?purpose=fine-tune&order={order}{after}");
            Assert.Empty(end.Ids());
            Assert.False(end.GetProperty("has_more").GetBoolean());
            Assert.Equal(JsonValueKind.Null, end.GetProperty("first_id").ValueKind);
        }
        Assert.Equal(8, (await server.GetJsonAsync("/v1/files")).Ids().Length);
    }

    [Theory]
    [InlineData("limit=0", "limit", "integer_below_min_value")]
    [InlineData("limit=10001", "limit", "integer_above_max_value")]
    [InlineData("limit=ten", "limit", "invalid_type")]
    [InlineData("limit=1&limit=2", "limit", "invalid_value")]
    [InlineData("order=newest", "order", "invalid_value")]
    [InlineData("after=file-unknown", "after", "invalid_value")]
    [InlineData("purose=fine-tune", "purose", "unknown_parameter")]
    public async Task A_wrong_query_is_400_and_named(string query, string param, string code)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.GetJsonAsync($"/v1/files?{query}", HttpStatusCode.BadRequest);
        Assert.Equal((param, code), (answer.Error().Param, answer.Error().Code));
    }

    [Fact]
    public async Task A_file_with_expiry_says_when_and_disappears_then()
    {
        ShiftedTime time = new();
        await using TestServer server = await TestServer.StartAsync(change: options => options with { Time = time });
        JsonElement file = await server.UploadAsync(
            Requests.TrainingFile(), fields: [("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "3600")]);
        Assert.Equal(file.GetProperty("created_at").GetInt64() + 3600, file.GetProperty("expires_at").GetInt64());
        time.Advance(TimeSpan.FromSeconds(3590));
        await server.GetJsonAsync($"/v1/files/{file.Text("id")}");
        time.Advance(TimeSpan.FromSeconds(11));
        await server.GetJsonAsync($"/v1/files/{file.Text("id")}", HttpStatusCode.NotFound);
        Assert.Empty((await server.GetJsonAsync("/v1/files")).Ids());
    }

    [Theory]
    [InlineData("expires_after[seconds]", "3600", "expires_after[anchor]", "missing_required_parameter")]
    [InlineData("expires_after[anchor]", "created_at", "expires_after[seconds]", "missing_required_parameter")]
    [InlineData("colour", "red", "colour", "unknown_parameter")]
    public async Task A_wrong_form_field_is_400_and_named(string name, string value, string param, string code)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.UploadAsync(
            Requests.TrainingFile(), expected: HttpStatusCode.BadRequest, fields: [(name, value)]);
        Assert.Equal((param, code), (answer.Error().Param, answer.Error().Code));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(server.DataFolder, "blobs"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task An_upload_hears_of_all_its_faults_at_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        using MultipartFormDataContent form = new() { { new StringContent("finetune"), "purpose" } };
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/files", form);
        JsonElement answer = await response.ReadAsync(HttpStatusCode.BadRequest);
        Assert.Contains("Missing required parameter: 'file'.", answer.Error().Message, StringComparison.Ordinal);
        Assert.Contains("'finetune'", answer.Error().Message, StringComparison.Ordinal);
        Assert.Equal("file", answer.Error().Param);
    }

    [Theory]
    [InlineData("{\"prompt\"", "Line 1 is not a dictionary (HINT: line starts with: \"{\"prompt...\").")]
    [InlineData("{\"a\":1}\nnull\n", "Line 2 is not a dictionary (HINT: line starts with: \"null...\").")]
    [InlineData("{\"a\":1}\n[]\n{}\n5\n", "Line 2 is not a dictionary (HINT: line starts with: \"[]...\"). 2 lines are not: 2, 4.")]
    [InlineData("{\"a\":1} {\"b\":2}\n", "Line 1 is not a dictionary")]
    [InlineData("\n\n", "The file is empty.")]
    public async Task A_training_file_that_is_not_jsonl_is_refused_with_the_line(string content, string message)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.UploadAsync(Encoding.UTF8.GetBytes(content), expected: HttpStatusCode.BadRequest);
        Assert.Contains(message, answer.Error().Message, StringComparison.Ordinal);
        Assert.Contains("Expected file to have JSONL format, where every line is a JSON dictionary.", answer.Error().Message, StringComparison.Ordinal);
        Assert.Equal(("file", null), (answer.Error().Param, answer.Error().Code));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(server.DataFolder, "blobs"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_byte_order_mark_and_windows_line_ends_are_accepted()
    {
        await using TestServer server = await TestServer.StartAsync();
        byte[] bytes = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes("{\"a\":1}\r\n{\"b\":2}\r\n\r\n")];
        await server.UploadAsync(bytes);
    }

    [Fact]
    public async Task Lines_longer_than_any_buffer_are_read_whole()
    {
        await using TestServer server = await TestServer.StartAsync();
        string line = $"{{\"a\":\"{new string('x', 3_000_000)}\"}}\n";
        JsonElement answer = await server.UploadAsync(Encoding.UTF8.GetBytes(line + line + "oops"), expected: HttpStatusCode.BadRequest);
        Assert.Contains("Line 3 is not a dictionary", answer.Error().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_file_may_come_before_the_purpose_and_its_folder_names_are_dropped()
    {
        await using TestServer server = await TestServer.StartAsync();
        using MultipartFormDataContent form = new();
        form.Add(new ByteArrayContent(Requests.TrainingFile()), "file", "..\\secret/tr\u00e4in.jsonl");
        form.Add(new StringContent("fine-tune"), "purpose");
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/files", form);
        JsonElement file = await response.ReadAsync(HttpStatusCode.OK);
        Assert.Equal("tr\u00e4in.jsonl", file.Text("filename"));
    }

    [Fact]
    public async Task A_broken_multipart_body_is_400_and_leaves_nothing()
    {
        await using TestServer server = await TestServer.StartAsync();
        string body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{\"a\":1}\n";
        using ByteArrayContent content = new(Encoding.ASCII.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/files", content);
        await response.ReadAsync(HttpStatusCode.BadRequest);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(server.DataFolder, "blobs"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_file_over_the_limit_is_413_and_leaves_nothing()
    {
        string folder = Directory.CreateTempSubdirectory("anneal-blobs-").FullName;
        using MultipartFormDataContent form = new()
        {
            { new StringContent("fine-tune"), "purpose" },
            { new ByteArrayContent(Requests.TrainingFile()), "file", "train.jsonl" },
        };
        DefaultHttpContext context = new();
        context.Request.ContentType = form.Headers.ContentType!.ToString();
        context.Request.Body = await form.ReadAsStreamAsync();
        FileUpload upload = new(new LocalBlobs(folder), TimeProvider.System, bytesMax: 100);
        ApiException refused = await Assert.ThrowsAsync<ApiException>(() => upload.ReceiveAsync(context, default));
        Assert.Equal((413, "file"), (refused.Error.Status, refused.Error.Param));
        Assert.Contains("100 bytes", refused.Error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_full_disk_is_told_in_one_sentence_and_not_worth_a_retry()
    {
        await using TestServer server = await TestServer.StartAsync(
            replace: services => services.AddSingleton<IBlobStore>(new FullDisk()));
        using MultipartFormDataContent form = new()
        {
            { new StringContent("fine-tune"), "purpose" },
            { new ByteArrayContent(Requests.TrainingFile()), "file", "train.jsonl" },
        };
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/files", form);
        JsonElement answer = await response.ReadAsync(HttpStatusCode.InsufficientStorage);
        Assert.Equal(("server_error", "insufficient_storage"), (answer.Error().Type, answer.Error().Code));
        Assert.Contains("The disk is full.", answer.Error().Message, StringComparison.Ordinal);
        Assert.Equal("false", response.Headers.GetValues("x-should-retry").Single());
        Assert.Empty((await server.GetJsonAsync("/v1/files")).Ids());
    }

    /// <summary>A blob store that holds nothing and can store nothing.</summary>
    private sealed class FullDisk : IBlobStore
    {
        public Task<BlobInfo> WriteAsync(string key, Stream content, long bytesMax, CancellationToken cancellation) =>
            throw new BlobStorageException("The disk is full.", new IOException());

        public Stream? OpenRead(string key) => null;

        public Task<bool> VerifyAsync(string key, long bytes, string sha256, CancellationToken cancellation) => Task.FromResult(false);

        public string? LocalPath(string key) => null;

        public bool Delete(string key) => false;

        public IEnumerable<string> ListOlderThan(DateTimeOffset before) => [];
    }
}
