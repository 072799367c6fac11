using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Api.Tests.Jobs;

namespace Anneal.Api.Tests.Chat;

/// <summary>Chat with the tiny checkpoint and a real adapter beside it: nothing here is scripted.</summary>
public sealed class EngineChatTests
{
    [Fact]
    public async Task Greedy_answers_repeat_and_streaming_says_the_same()
    {
        await using TestServer server = await TestServer.StartAsync();
        string first = await AnswerAsync(server, Body(("temperature", 0), ("max_tokens", 12)));
        Assert.NotEmpty(first);
        Assert.Equal(first, await AnswerAsync(server, Body(("temperature", 0), ("max_tokens", 12))));
        Assert.Equal(first, await StreamedAsync(server, Body(("temperature", 0), ("max_tokens", 12), ("stream", true))));
    }

    [Fact]
    public async Task Usage_and_finish_reason_are_the_engines()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", Body(("temperature", 0), ("max_tokens", 5), ("logprobs", true), ("top_logprobs", 2)));
        JsonElement choice = answer.GetProperty("choices")[0];
        Assert.Equal("length", choice.Text("finish_reason"));
        Assert.Equal(5, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.True(answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32() > 5);
        foreach (JsonElement token in choice.GetProperty("logprobs").GetProperty("content").EnumerateArray())
        {
            // Greedy: the token taken is the likeliest.
            Assert.Equal(token.GetProperty("logprob").GetDouble(), token.GetProperty("top_logprobs")[0].GetProperty("logprob").GetDouble(), 5);
        }
    }

    [Fact]
    public async Task A_seed_repeats_a_draw_and_other_seeds_differ()
    {
        await using TestServer server = await TestServer.StartAsync();
        string one = await AnswerAsync(server, Body(("seed", 1), ("max_tokens", 16)));
        Assert.Equal(one, await AnswerAsync(server, Body(("seed", 1), ("max_tokens", 16))));
        Assert.NotEqual(one, await AnswerAsync(server, Body(("seed", 2), ("max_tokens", 16))));
        JsonElement three = await server.PostJsonAsync("/v1/chat/completions", Body(("seed", 1), ("max_tokens", 16), ("n", 3)));
        string[] answers = [.. three.GetProperty("choices").EnumerateArray().Select(c => c.GetProperty("message").Text("content"))];
        Assert.Equal(one, answers[0]);
        Assert.Equal(3, answers.Distinct().Count());
    }

    [Fact]
    public async Task A_tuned_model_answers_with_its_adapter_and_beside_others_as_it_does_alone()
    {
        await using TestServer server = await TestServer.StartAsync();
        string tuned = await TunedAsync(server);
        string baseAnswer = await AnswerAsync(server, Body(("temperature", 0), ("max_tokens", 12)));
        string tunedAnswer = await AnswerAsync(server, Body(("model", tuned), ("temperature", 0), ("max_tokens", 12)));
        Assert.NotEqual(baseAnswer, tunedAnswer);
        string[] together = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => AnswerAsync(
            server, Body(("model", i % 2 == 0 ? TestServer.BaseModel : tuned), ("temperature", 0), ("max_tokens", 12)))));
        Assert.All(together.Where((_, i) => i % 2 == 0), answer => Assert.Equal(baseAnswer, answer));
        Assert.All(together.Where((_, i) => i % 2 == 1), answer => Assert.Equal(tunedAnswer, answer));
    }

    [Fact]
    public async Task Every_checkpoint_is_a_model_and_a_deleted_model_is_gone_at_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        string tuned = await TunedAsync(server);
        string checkpoint = (await server.GetJsonAsync("/v1/models")).Ids().Single(id => id.Contains(":ckpt-step-", StringComparison.Ordinal));
        Assert.NotEmpty(await AnswerAsync(server, Body(("model", checkpoint), ("max_tokens", 4))));
        Assert.NotEmpty(await AnswerAsync(server, Body(("model", tuned), ("max_tokens", 4))));
        await server.DeleteJsonAsync($"/v1/models/{tuned}");
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", Body(("model", tuned)), HttpStatusCode.NotFound);
        Assert.Equal("model_not_found", answer.Error().Code);
        Assert.NotEmpty(await AnswerAsync(server, Body(("model", checkpoint), ("max_tokens", 4))));
    }

    [Fact]
    public async Task Stop_strings_and_logit_bias_do_what_they_say()
    {
        await using TestServer server = await TestServer.StartAsync();
        string whole = await AnswerAsync(server, Body(("temperature", 0), ("max_tokens", 24)));
        string stop = whole.Substring(whole.Length / 2, 2);
        JsonObject body = Body(("temperature", 0), ("max_tokens", 24));
        body["stop"] = stop;
        JsonElement cut = await server.PostJsonAsync("/v1/chat/completions", body);
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], cut.GetProperty("choices")[0].GetProperty("message").Text("content"));
        Assert.Equal("stop", cut.GetProperty("choices")[0].Text("finish_reason"));

        body = Body(("temperature", 0), ("max_tokens", 4));
        body["logit_bias"] = new JsonObject { ["70"] = 100 };
        JsonElement forced = await server.PostJsonAsync("/v1/chat/completions", body);
        string text = forced.GetProperty("choices")[0].GetProperty("message").Text("content");
        Assert.Equal(4, text.Length);
        Assert.Single(text.Distinct());
    }

    [Fact]
    public async Task A_conversation_longer_than_the_context_is_400()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", Body(("max_tokens", 1000)), HttpStatusCode.BadRequest);
        Assert.Equal(("messages", "context_length_exceeded"), (answer.Error().Param, answer.Error().Code));
        Assert.Contains("maximum context length is 256 tokens", answer.Error().Message, StringComparison.Ordinal);
        JsonObject body = Body();
        body["messages"]![0]!["content"] = new string('x', 4000);
        answer = await server.PostJsonAsync("/v1/chat/completions", body, HttpStatusCode.BadRequest);
        Assert.Contains("your messages resulted in", answer.Error().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_adapter_is_an_error_and_never_an_answer_of_the_base()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        // The played checkpoints hold an empty configuration and no weights.
        string name = (await server.PlayToSuccessAsync(id)).FineTunedModel!;
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", Body(("model", name)), HttpStatusCode.InternalServerError);
        Assert.Equal("model_not_loadable", answer.Error().Code);
        Assert.NotEmpty(await AnswerAsync(server, Body(("max_tokens", 4))));
    }

    private static async Task<string> TunedAsync(TestServer server)
    {
        string id = await server.CreateJobAsync();
        return (await server.PlayToSuccessAsync(id, TestServer.Fixture("models", TestServer.BaseModel, "expected", "adapter"))).FineTunedModel!;
    }

    private static async Task<string> AnswerAsync(TestServer server, JsonObject body)
    {
        JsonElement answer = await server.PostJsonAsync("/v1/chat/completions", body);
        return answer.GetProperty("choices")[0].GetProperty("message").Text("content");
    }

    private static async Task<string> StreamedAsync(TestServer server, JsonObject body)
    {
        using StringContent content = new(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/chat/completions", content);
        string text = await response.Content.ReadAsStringAsync();
        return string.Concat(text.Split("\n\n").Where(e => e.StartsWith("data: {", StringComparison.Ordinal))
            .Select(e => JsonNode.Parse(e["data: ".Length..])!["choices"]![0]!["delta"]!["content"]?.GetValue<string>()));
    }

    private static JsonObject Body(params (string Name, JsonNode Value)[] more)
    {
        JsonObject body = new()
        {
            ["model"] = TestServer.BaseModel,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi there" }),
        };
        foreach ((string name, JsonNode value) in more)
        {
            body[name] = value;
        }
        return body;
    }
}
