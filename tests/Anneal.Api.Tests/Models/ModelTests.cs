using System.Net;
using System.Text.Json;
using Anneal.Api.Tests.Jobs;

namespace Anneal.Api.Tests.Models;

public sealed class ModelTests
{
    [Fact]
    public async Task Base_models_are_listed_and_retrieved()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement list = await server.GetJsonAsync("/v1/models");
        JsonElement model = Assert.Single(list.GetProperty("data").EnumerateArray());
        Assert.Equal((TestServer.BaseModel, "model"), (model.Text("id"), model.Text("object")));
        Assert.True(JsonElement.DeepEquals(model, await server.GetJsonAsync($"/v1/models/{TestServer.BaseModel}")));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("ft:tiny-llama:personal::abcdefgh")]
    public async Task An_unknown_model_is_404(string id)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.GetJsonAsync($"/v1/models/{id}", HttpStatusCode.NotFound);
        Assert.Equal(
            ($"The model `{id}` does not exist or you do not have access to it.", "invalid_request_error", null, "model_not_found"),
            answer.Error());
        await server.DeleteJsonAsync($"/v1/models/{id}", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_base_model_cannot_be_deleted()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.DeleteJsonAsync($"/v1/models/{TestServer.BaseModel}", HttpStatusCode.Forbidden);
        Assert.Equal(("model", "model_not_deletable"), (answer.Error().Param, answer.Error().Code));
    }

    [Fact]
    public async Task A_deleted_tuned_model_leaves_the_list()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        string name = (await server.PlayToSuccessAsync(id)).FineTunedModel!;
        JsonElement deletion = await server.DeleteJsonAsync($"/v1/models/{Uri.EscapeDataString(name)}");
        Assert.Equal((name, "model", true), (deletion.Text("id"), deletion.Text("object"), deletion.GetProperty("deleted").GetBoolean()));
        Assert.DoesNotContain(name, (await server.GetJsonAsync("/v1/models")).Ids());
        await server.GetJsonAsync($"/v1/models/{name}", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_model_folder_without_a_model_stops_the_start_and_is_named()
    {
        string empty = Directory.CreateTempSubdirectory("anneal-empty-").FullName;
        InvalidDataException exception = await Assert.ThrowsAsync<InvalidDataException>(
            () => TestServer.StartAsync(change: options => options with { ModelFolders = [empty] }));
        Assert.Contains(empty, exception.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DirectoryNotFoundException>(
            () => TestServer.StartAsync(change: options => options with { ModelFolders = [Path.Combine(empty, "none")] }));
        Directory.Delete(empty, recursive: true);
    }

    [Fact]
    public async Task A_folder_of_model_folders_serves_each()
    {
        await using TestServer server = await TestServer.StartAsync(
            change: options => options with { ModelFolders = [TestServer.Fixture("models")] });
        Assert.Contains(TestServer.BaseModel, (await server.GetJsonAsync("/v1/models")).Ids());
    }

    [Fact]
    public async Task A_model_of_an_unknown_kind_is_not_listed_and_whoever_asks_for_it_hears_why()
    {
        string folder = Directory.CreateTempSubdirectory("anneal-odd-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "odd"));
        File.WriteAllText(Path.Combine(folder, "odd", "config.json"), """{"model_type":"clockwork"}""");
        await using (TestServer server = await TestServer.StartAsync(
            change: options => options with { ModelFolders = [TestServer.Fixture("models", TestServer.BaseModel), folder] }))
        {
            Assert.Equal([TestServer.BaseModel], (await server.GetJsonAsync("/v1/models")).Ids());
            string file = await server.UploadTrainingFileAsync();
            JsonElement answer = await server.PostTextAsync(
                "/v1/fine_tuning/jobs", $$"""{"model":"odd","training_file":"{{file}}"}""", HttpStatusCode.BadRequest);
            Assert.Equal("model_not_available", answer.Error().Code);
            Assert.Contains("clockwork", answer.Error().Message, StringComparison.Ordinal);
            answer = await server.PostTextAsync(
                "/v1/chat/completions", """{"model":"odd","messages":[{"role":"user","content":"Hi"}]}""", HttpStatusCode.BadRequest);
            Assert.Contains("clockwork", answer.Error().Message, StringComparison.Ordinal);
        }
        Directory.Delete(folder, recursive: true);
    }
}
