using Anneal.Api.Tests.Jobs;

namespace Anneal.Api.Tests.Sdk;

/// <summary>The official OpenAI package for Node drives the server.</summary>
public sealed class NodeClientTests
{
    [Fact]
    public async Task Files_and_jobs_work_from_upload_to_cancel()
    {
        await using TestServer server = await TestServer.StartAsync();
        await NodeScript.RunAsync(server, "jobs.mjs");
    }

    [Fact]
    public async Task Every_error_is_the_packages_typed_exception()
    {
        await using TestServer server = await TestServer.StartAsync();
        await NodeScript.RunAsync(server, "errors.mjs");
    }

    [Fact]
    public async Task Chat_answers_whole_and_in_a_stream()
    {
        await using TestServer server = await TestServer.StartAsync();
        await NodeScript.RunAsync(server, "chat.mjs");
    }

    [Fact]
    public async Task A_finished_job_is_read_with_events_checkpoints_result_file_and_model()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        await server.PlayToSuccessAsync(id);
        await NodeScript.RunAsync(server, "results.mjs", ("ANNEAL_TEST_JOB", id));
    }
}
