using Anneal.Api.Tests.Jobs;
using Anneal.Client;

namespace Anneal.Api.Tests.Client;

/// <summary>The client against a real server.</summary>
public sealed class ClientTests
{
    [Fact]
    public async Task A_file_survives_the_way_there_and_back()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AnnealClient client = Client(server);
        byte[] bytes = Requests.TrainingFile(50);
        using var content = new MemoryStream(bytes);
        ApiFile file = await client.Files.CreateAsync(content, "näme.jsonl", FilePurpose.FineTune);
        Assert.Equal((bytes.Length, "näme.jsonl", FilePurpose.FineTune), (file.Bytes, file.Filename, file.Purpose));
        Assert.True(content.CanRead);

        using var back = new MemoryStream();
        await using (Stream stream = await client.Files.ContentAsync(file.Id))
        {
            await stream.CopyToAsync(back);
        }

        Assert.Equal(bytes, back.ToArray());
        Assert.Equal(file, await client.Files.RetrieveAsync(file.Id));
        Assert.True((await client.Files.DeleteAsync(file.Id)).Deleted);
        await Assert.ThrowsAsync<NotFoundException>(() => client.Files.RetrieveAsync(file.Id));
    }

    [Fact]
    public async Task Following_a_finished_job_tells_every_event_once_oldest_first()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AnnealClient client = Client(server);
        string id = await server.CreateJobAsync();
        await server.PlayToSuccessAsync(id);
        List<JobUpdate> updates = await client.Jobs.FollowAsync(id).ToListAsync();
        JobEvent[] told = [.. updates.SelectMany(update => update.News)];
        JobEvent[] listed = [.. (await client.Jobs.EventsAsync(id, pageSize: 7).ToListAsync()).AsEnumerable().Reverse()];
        Assert.Equal(listed.Select(item => item.Id), told.Select(item => item.Id));
        Assert.Equal(20, told.Count(item => item.Metrics is { TotalSteps: 20 }));
        Assert.Equal(JobStatus.Succeeded, updates[^1].Job.Status);
        Assert.Equal(updates[^1].Job.FineTunedModel, (await client.Jobs.CheckpointsAsync(id).FirstAsync()).FineTunedModelCheckpoint);
    }

    [Fact]
    public async Task Jobs_are_paged_filtered_and_changed()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AnnealClient client = Client(server);
        using var content = new MemoryStream(Requests.TrainingFile());
        ApiFile file = await client.Files.CreateAsync(content, "train.jsonl", FilePurpose.FineTune);
        var ids = new List<string>();
        for (int i = 0; i < 5; i++)
        {
            ids.Add((await client.Jobs.CreateAsync(new CreateJobRequest
            {
                Model = TestServer.BaseModel,
                TrainingFile = file.Id,
                Metadata = new Dictionary<string, string> { ["parity & more"] = i % 2 == 0 ? "even" : "odd" },
                Method = TrainingMethod.ForSupervised(new Hyperparameters { NEpochs = 2, BatchSize = AutoOr<int>.Auto, LearningRateMultiplier = 0.5 }),
            })).Id);
        }

        ids.Reverse();
        Assert.Equal(ids, await client.Jobs.ListAsync(pageSize: 2).Select(job => job.Id).ToListAsync());
        Assert.Equal(2, await client.Jobs.ListAsync(new Dictionary<string, string> { ["parity & more"] = "odd" }).CountAsync());
        FineTuningJob cancelled = await client.Jobs.CancelAsync(ids[0]);
        Assert.Equal(JobStatus.Cancelled, cancelled.Status);
        Assert.Equal((2, 0.5), (cancelled.Hyperparameters!.NEpochs!.Value.Value, cancelled.Hyperparameters.LearningRateMultiplier!.Value.Value));
        await Assert.ThrowsAsync<BadRequestException>(() => client.Jobs.CancelAsync(ids[0]));
    }

    private static AnnealClient Client(TestServer server) =>
        new(new AnnealClientOptions { BaseUrl = new Uri(server.Url + "/v1"), ApiKey = server.Key });
}
