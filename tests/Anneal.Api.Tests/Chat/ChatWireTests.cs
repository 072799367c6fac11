using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Server.Chat;
using Anneal.Server.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Anneal.Api.Tests.Chat;

/// <summary>The wire format of chat completions, piece by piece. Every answer is held against the OpenAPI document as well.</summary>
public sealed class ChatWireTests
{
    private static readonly ChatPiece[] Hello =
    [
        new("Hel", 1, new TokenChance("Hel", -0.5, [new TokenChance("Hel", -0.5, []), new TokenChance("Yo", -1.5, [])]), null),
        new("", 1, new TokenChance("\uFFFD", -1, []), null),
        new("lo ☺", 1, new TokenChance("lo", -0.25, []), null),
        new("", 1, null, "stop"),
    ];

    [Fact]
    public async Task A_completion_has_every_member_that_clients_read()
    {
        await using TestServer server = await StartAsync(new ScriptedChatModels(Hello));
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", Body());
        Assert.Matches("^chatcmpl-[A-Za-z0-9]{29}$", answer.Text("id"));
        Assert.Equal(("chat.completion", "scripted", "fp_scripted"), (answer.Text("object"), answer.Text("model"), answer.Text("system_fingerprint")));
        JsonElement choice = Assert.Single(answer.GetProperty("choices").EnumerateArray());
        Assert.Equal("stop", choice.Text("finish_reason"));
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("logprobs").ValueKind);
        Assert.Equal(("assistant", "Hello ☺"), (choice.GetProperty("message").Text("role"), choice.GetProperty("message").Text("content")));
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("message").GetProperty("refusal").ValueKind);
        JsonElement usage = answer.GetProperty("usage");
        Assert.Equal((3, 4, 7), (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32(),
            usage.GetProperty("total_tokens").GetInt32()));
    }

    [Fact]
    public async Task Logprobs_tell_tokens_bytes_and_alternatives()
    {
        await using TestServer server = await StartAsync(new ScriptedChatModels(Hello));
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", Body(("logprobs", true), ("top_logprobs", 2)));
        JsonElement content = answer.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content");
        Assert.Equal(3, content.GetArrayLength());
        Assert.Equal("Hel", content[0].Text("token"));
        Assert.Equal(-0.5, content[0].GetProperty("logprob").GetDouble());
        Assert.Equal("[72,101,108]", content[0].GetProperty("bytes").GetRawText());
        Assert.Equal(["Hel", "Yo"], content[0].GetProperty("top_logprobs").EnumerateArray().Select(t => t.Text("token")));
        Assert.Equal(JsonValueKind.Null, content[1].GetProperty("bytes").ValueKind);
    }

    [Fact]
    public async Task Several_answers_are_numbered_and_each_has_its_own_seed()
    {
        ScriptedChatModels model = new(Hello);
        await using TestServer server = await StartAsync(model);
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", Body(("n", 3), ("seed", 10)));
        Assert.Equal([0, 1, 2], answer.GetProperty("choices").EnumerateArray().Select(c => c.GetProperty("index").GetInt32()));
        Assert.All(answer.GetProperty("choices").EnumerateArray(), c => Assert.Equal("Hello ☺", c.GetProperty("message").Text("content")));
        Assert.Equal(12, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal([10L, 11L, 12L], model.Prompts.Select(p => p.Sampling.Seed!.Value).Order());
    }

    [Fact]
    public async Task A_stream_opens_with_the_role_closes_with_the_reason_and_ends_with_done()
    {
        await using TestServer server = await StartAsync(new ScriptedChatModels(Hello));
        List<JsonElement> chunks = await StreamAsync(server, Body(("stream", true)));
        Assert.Single(chunks.Select(c => c.Text("id")).Distinct());
        Assert.Single(chunks.Select(c => c.GetProperty("created").GetInt64()).Distinct());
        Assert.Equal("""{"role":"assistant","content":"","refusal":null}""", Delta(chunks[0]).GetRawText());
        Assert.Equal(["Hel", "lo ☺"], chunks[1..^1].Select(c => Delta(c).Text("content")));
        Assert.Equal("{}", Delta(chunks[^1]).GetRawText());
        Assert.Equal("stop", chunks[^1].GetProperty("choices")[0].Text("finish_reason"));
        Assert.All(chunks, c => Assert.False(c.TryGetProperty("usage", out _)));
        Assert.All(chunks[..^1], c => Assert.Equal(JsonValueKind.Null, c.GetProperty("choices")[0].GetProperty("finish_reason").ValueKind));
    }

    [Fact]
    public async Task A_stream_tells_the_usage_in_one_more_chunk_when_asked()
    {
        await using TestServer server = await StartAsync(new ScriptedChatModels(Hello));
        JsonObject body = Body(("stream", true), ("n", 2));
        body["stream_options"] = new JsonObject { ["include_usage"] = true, ["include_obfuscation"] = true };
        List<JsonElement> chunks = await StreamAsync(server, body);
        Assert.Equal("[]", chunks[^1].GetProperty("choices").GetRawText());
        Assert.Equal(8, chunks[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.All(chunks[..^1], c => Assert.Equal(JsonValueKind.Null, c.GetProperty("usage").ValueKind));
        Assert.Equal(4, chunks.Count(c => c.TryGetProperty("obfuscation", out JsonElement padding) && padding.GetString()!.Length > 0));
        Assert.Equal(2, chunks[..^1].Select(c => c.GetProperty("choices")[0].GetProperty("index").GetInt32()).Distinct().Count());
    }

    [Fact]
    public async Task Logprobs_of_a_stream_come_with_the_text_they_belong_to()
    {
        await using TestServer server = await StartAsync(new ScriptedChatModels(Hello));
        List<JsonElement> chunks = await StreamAsync(server, Body(("stream", true), ("logprobs", true)));
        int[] counts = [.. chunks[1..^1].Select(c => c.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content").GetArrayLength())];
        Assert.Equal([1, 2], counts);
    }

    [Fact]
    public async Task A_failure_before_the_first_piece_has_its_own_status()
    {
        ApiError busy = new(429, "Too many requests wait.", Code: "rate_limit_exceeded", Type: "requests", RetryAfterSeconds: 2);
        await using TestServer server = await StartAsync(new ScriptedChatModels { Failure = new ApiException(busy) });
        foreach (bool stream in new[] { false, true })
        {
            using StringContent content = new(Body(("stream", stream)).ToJsonString(), System.Text.Encoding.UTF8, "application/json");
            using HttpResponseMessage response = await server.Http.PostAsync("/v1/chat/completions", content);
            JsonElement answer = await response.ReadAsync(HttpStatusCode.TooManyRequests);
            Assert.Equal("rate_limit_exceeded", answer.Error().Code);
            Assert.Equal(TimeSpan.FromSeconds(2), response.Headers.RetryAfter!.Delta);
        }
    }

    [Fact]
    public async Task A_failure_in_the_middle_of_a_stream_is_an_error_event()
    {
        ScriptedChatModels model = new(Hello[..2]) { Failure = new InvalidOperationException("secret inside") };
        await using TestServer server = await StartAsync(model);
        List<JsonElement> chunks = await StreamAsync(server, Body(("stream", true)));
        Assert.Equal("server_error", chunks[^1].Error().Type);
        Assert.DoesNotContain("secret inside", chunks[^1].Error().Message, StringComparison.Ordinal);
        JsonElement whole = await server.PostJsonAsync("/v1/chat/completions", Body(("n", 2)), HttpStatusCode.InternalServerError);
        Assert.Equal("server_error", whole.Error().Type);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_generation()
    {
        ScriptedChatModels model = new(Hello) { Pause = cancellation => Task.Delay(Timeout.Infinite, cancellation) };
        await using TestServer server = await StartAsync(model);
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(Body(("stream", true)).ToJsonString(), System.Text.Encoding.UTF8, "application/json"),
        };
        using (HttpResponseMessage response = await server.Raw.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            using StreamReader reader = new(await response.Content.ReadAsStreamAsync());
            // The first pieces arrive while the model still works: nothing is buffered on the way.
            string? line;
            do
            {
                line = await reader.ReadLineAsync();
            }
            while (line is not null && !line.Contains("Hel", StringComparison.Ordinal));
            Assert.NotNull(line);
        }
        await model.Left.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Messages_reach_the_model_in_one_form()
    {
        ScriptedChatModels model = new(Hello);
        await using TestServer server = await StartAsync(model);
        JsonObject body = Body();
        body["messages"] = JsonNode.Parse(
            """
            [
              {"role":"system","content":[{"type":"text","text":"Be "},{"type":"text","text":"short."}]},
              {"role":"user","content":"Hi","name":"ann"},
              {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
              {"role":"tool","tool_call_id":"c1","content":"4"},
              {"role":"assistant","refusal":"No."}
            ]
            """);
        await server.PostJsonAsync("/v1/chat/completions", body);
        JsonArray expected = JsonNode.Parse(
            """
            [
              {"role":"system","content":"Be short."},
              {"role":"user","content":"Hi","name":"ann"},
              {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
              {"role":"tool","content":"4","tool_call_id":"c1"},
              {"role":"assistant","content":"No."}
            ]
            """)!.AsArray();
        Assert.True(JsonNode.DeepEquals(expected, model.Messages), model.Messages!.ToJsonString());
    }

    [Fact]
    public async Task Sampling_parameters_reach_the_model()
    {
        ScriptedChatModels model = new(Hello);
        await using TestServer server = await StartAsync(model);
        JsonObject body = Body(
            ("temperature", 0.5), ("top_p", 0.9), ("frequency_penalty", 1), ("presence_penalty", -1), ("seed", -5),
            ("max_tokens", 20), ("max_completion_tokens", 10));
        body["stop"] = new JsonArray("a", "b");
        body["logit_bias"] = new JsonObject { ["7"] = -100 };
        await server.PostJsonAsync("/v1/chat/completions", body);
        ChatPrompt prompt = Assert.Single(model.Prompts);
        Assert.Equal(10, prompt.TokensMax);
        Assert.Equal(["a", "b"], prompt.Stop);
        Assert.Equal((0.5, 0.9, 1.0, -1.0, -5L), (prompt.Sampling.Temperature, prompt.Sampling.TopP, prompt.Sampling.FrequencyPenalty,
            prompt.Sampling.PresencePenalty, prompt.Sampling.Seed!.Value));
        Assert.Equal(-100, prompt.Sampling.LogitBias![7]);
    }

    [Theory]
    [InlineData("{}", "model", "missing_required_parameter")]
    [InlineData("""{"messages":[]}""", "messages", "empty_array")]
    [InlineData("""{"messages":"hi"}""", "messages", "invalid_type")]
    [InlineData("""{"messages":[{"content":"x"}]}""", "messages[0].role", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"king","content":"x"}]}""", "messages[0].role", "invalid_value")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "messages[0].content", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"user","content":5}]}""", "messages[0].content", "invalid_type")]
    [InlineData("""{"messages":[{"role":"user","content":"x","colour":1}]}""", "messages[0].colour", "unknown_parameter")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x"}}]}]}""", "messages[0].content[0].type", "unsupported_value")]
    [InlineData("""{"messages":[{"role":"system","content":[{"type":"image_url"}]}]}""", "messages[0].content[0].type", "invalid_value")]
    [InlineData("""{"messages":[{"role":"tool","content":"x"}]}""", "messages[0].tool_call_id", "missing_required_parameter")]
    [InlineData("""{"temperature":2.5}""", "temperature", "decimal_above_max_value")]
    [InlineData("""{"temperature":"hot"}""", "temperature", "invalid_type")]
    [InlineData("""{"top_p":-0.1}""", "top_p", "decimal_below_min_value")]
    [InlineData("""{"frequency_penalty":3}""", "frequency_penalty", "decimal_above_max_value")]
    [InlineData("""{"presence_penalty":-3}""", "presence_penalty", "decimal_below_min_value")]
    [InlineData("""{"n":0}""", "n", "integer_below_min_value")]
    [InlineData("""{"n":129}""", "n", "integer_above_max_value")]
    [InlineData("""{"max_tokens":0}""", "max_tokens", "integer_below_min_value")]
    [InlineData("""{"max_completion_tokens":1.5}""", "max_completion_tokens", "invalid_type")]
    [InlineData("""{"stop":["a","b","c","d","e"]}""", "stop", "array_above_max_length")]
    [InlineData("""{"stop":[""]}""", "stop[0]", "empty_string")]
    [InlineData("""{"stop":7}""", "stop", "invalid_type")]
    [InlineData("""{"seed":"x"}""", "seed", "invalid_type")]
    [InlineData("""{"top_logprobs":3}""", "top_logprobs", "invalid_value")]
    [InlineData("""{"logprobs":true,"top_logprobs":21}""", "top_logprobs", "integer_above_max_value")]
    [InlineData("""{"logit_bias":{"x":1}}""", "logit_bias.x", "invalid_value")]
    [InlineData("""{"logit_bias":{"1":101}}""", "logit_bias.1", "decimal_above_max_value")]
    [InlineData("""{"logit_bias":{"1000":1}}""", "logit_bias.1000", "invalid_value")]
    [InlineData("""{"stream":"yes"}""", "stream", "invalid_type")]
    [InlineData("""{"stream_options":{"include_usage":true}}""", "stream_options", "invalid_value")]
    [InlineData("""{"tools":[{"type":"function","function":{"name":"f"}}]}""", "tools", "unsupported_parameter")]
    [InlineData("""{"tool_choice":"auto"}""", "tool_choice", "unsupported_parameter")]
    [InlineData("""{"functions":[{"name":"f"}]}""", "functions", "unsupported_parameter")]
    [InlineData("""{"response_format":{"type":"json_object"}}""", "response_format.type", "unsupported_value")]
    [InlineData("""{"response_format":{"type":"yaml"}}""", "response_format.type", "invalid_value")]
    [InlineData("""{"store":true}""", "store", "unsupported_value")]
    [InlineData("""{"reasoning_effort":"huge"}""", "reasoning_effort", "invalid_value")]
    [InlineData("""{"user":5}""", "user", "invalid_type")]
    [InlineData("""{"temprature":1}""", "temprature", "unknown_parameter")]
    public async Task A_wrong_parameter_is_400_and_named(string change, string param, string code)
    {
        await using TestServer server = await StartAsync(new ScriptedChatModels(Hello));
        JsonObject body = change == "{}" ? [] : Body();
        foreach ((string name, JsonNode? value) in JsonNode.Parse(change)!.AsObject())
        {
            body[name] = value?.DeepClone();
        }
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", body, HttpStatusCode.BadRequest);
        Assert.Equal(("invalid_request_error", param, code), (answer.Error().Type, answer.Error().Param, answer.Error().Code));
    }

    [Fact]
    public async Task What_the_format_says_to_ignore_is_accepted()
    {
        await using TestServer server = await StartAsync(new ScriptedChatModels(Hello));
        JsonObject body = Body(
            ("user", "u"), ("safety_identifier", "s"), ("service_tier", "auto"), ("reasoning_effort", "low"), ("verbosity", "low"),
            ("prompt_cache_key", "k"), ("parallel_tool_calls", true), ("store", false), ("tool_choice", "none"));
        body["modalities"] = new JsonArray("text");
        body["prediction"] = new JsonObject { ["type"] = "content", ["content"] = "x" };
        body["metadata"] = new JsonObject { ["a"] = "b" };
        body["response_format"] = new JsonObject { ["type"] = "text" };
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", body);
        Assert.Equal("b", answer.GetProperty("metadata").Text("a"));
    }

    [Fact]
    public async Task An_unknown_model_is_404()
    {
        await using TestServer server = await StartAsync(new ScriptedChatModels(Hello));
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", Body(("model", "none")), HttpStatusCode.NotFound);
        Assert.Equal(
            ("The model `none` does not exist or you do not have access to it.", "invalid_request_error", null, "model_not_found"),
            answer.Error());
    }

    private static Task<TestServer> StartAsync(ScriptedChatModels models) =>
        TestServer.StartAsync(replace: services => services.AddSingleton<IChatModels>(models));

    private static JsonObject Body(params (string Name, JsonNode Value)[] more)
    {
        JsonObject body = new()
        {
            ["model"] = "scripted",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi" }),
        };
        foreach ((string name, JsonNode value) in more)
        {
            body[name] = value;
        }
        return body;
    }

    private static async Task<List<JsonElement>> StreamAsync(TestServer server, JsonObject body)
    {
        using StringContent content = new(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/chat/completions", content);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        string text = await response.Content.ReadAsStringAsync();
        return
        [
            .. text.Split("\n\n").Where(e => e.StartsWith("data: {", StringComparison.Ordinal))
                .Select(e => JsonDocument.Parse(e["data: ".Length..]).RootElement.Clone()),
        ];
    }

    private static JsonElement Delta(JsonElement chunk) => chunk.GetProperty("choices")[0].GetProperty("delta");
}
