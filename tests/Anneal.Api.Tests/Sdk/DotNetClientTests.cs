#pragma warning disable OPENAI001 // Parts of the official client are marked experimental.
using System.ClientModel;
using Anneal.Api.Tests.Jobs;
using Anneal.Jobs;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Files;
using OpenAI.FineTuning;
using OpenAI.Models;

namespace Anneal.Api.Tests.Sdk;

/// <summary>The official OpenAI package for .NET drives the server: files, jobs, events, checkpoints, models, and its errors.</summary>
public sealed class DotNetClientTests
{
    [Fact]
    public async Task Files_are_uploaded_listed_read_and_deleted()
    {
        await using TestServer server = await TestServer.StartAsync();
        OpenAIFileClient files = server.Sdk().GetOpenAIFileClient();
        byte[] bytes = Requests.TrainingFile();
        OpenAIFile file = await files.UploadFileAsync(BinaryData.FromBytes(bytes), "train.jsonl", FileUploadPurpose.FineTune);
        Assert.Equal(("train.jsonl", FilePurpose.FineTune, bytes.LongLength), (file.Filename, file.Purpose, file.SizeInBytesLong));
#pragma warning disable CS0618 // Deprecated upstream, and still what old programs wait for.
        Assert.Equal(OpenAI.Files.FileStatus.Processed, file.Status);
#pragma warning restore CS0618
        Assert.Equal(bytes, (await files.DownloadFileAsync(file.Id)).Value.ToArray());
        Assert.Equal(file.Id, Assert.Single((await files.GetFilesAsync(FilePurpose.FineTune)).Value).Id);
        Assert.Empty((await files.GetFilesAsync(FilePurpose.Batch)).Value);
        Assert.True((await files.DeleteFileAsync(file.Id)).Value.Deleted);
        await RefusedAsync(404, () => files.GetFileAsync(file.Id));
    }

    [Fact]
    public async Task A_job_is_created_followed_by_pages_and_cancelled()
    {
        await using TestServer server = await TestServer.StartAsync();
        FineTuningClient client = server.Sdk().GetFineTuningClient();
        string training = await server.UploadTrainingFileAsync();
        FineTuningOptions options = new()
        {
            Suffix = "tickets",
            Seed = 7,
            ValidationFile = await server.UploadTrainingFileAsync(),
            TrainingMethod = FineTuningTrainingMethod.CreateSupervised(
                HyperparameterBatchSize.CreateSize(2), HyperparameterEpochCount.CreateEpochCount(3), HyperparameterLearningRate.CreateAuto()),
        };
        options.Metadata["team"] = "blue";
        FineTuningJob job = await client.FineTuneAsync(TestServer.BaseModel, training, waitUntilCompleted: false, options);
        Assert.Equal((TestServer.BaseModel, training, options.ValidationFile), (job.BaseModel, job.TrainingFileId, job.ValidationFileId));
        Assert.Equal((7, "tickets", "blue"), (job.Seed, job.UserProvidedSuffix, job.Metadata["team"]));
        Assert.True(job.Status.InProgress);
        HyperparametersForSupervised hyperparameters = Assert.IsType<HyperparametersForSupervised>(job.MethodHyperparameters);
        Assert.Equal((2, 3), (hyperparameters.BatchSize, hyperparameters.EpochCount));

        List<string> seen = [];
        await foreach (FineTuningEvent item in job.GetEventsAsync(new GetEventsOptions { PageSize = 1 }))
        {
            seen.Insert(0, item.Message);
            Assert.Equal(FineTuningJobEventKind.Message, item.Kind);
        }
        Assert.Equal($"Created fine-tuning job: {job.JobId}", seen[0]);
        Assert.Equal(2, seen.Count);

        await job.CancelAndUpdateAsync();
        Assert.Equal(FineTuningStatus.Cancelled, job.Status);
        Assert.True(job.HasCompleted);
        await RefusedAsync(400, () => job.CancelAndUpdateAsync());
    }

    [Fact]
    public async Task Jobs_are_paged_to_the_end()
    {
        await using TestServer server = await TestServer.StartAsync();
        FineTuningClient client = server.Sdk().GetFineTuningClient();
        List<string> made = [];
        for (int i = 0; i < 5; i++)
        {
            made.Insert(0, await server.CreateJobAsync());
        }
        List<string> seen = [];
        await foreach (FineTuningJob job in client.GetJobsAsync(new FineTuningJobCollectionOptions { PageSize = 2 }))
        {
            seen.Add(job.JobId);
        }
        Assert.Equal(made, seen);
    }

    [Fact]
    public async Task A_finished_job_is_read_with_checkpoints_results_and_model()
    {
        await using TestServer server = await TestServer.StartAsync();
        OpenAIClient client = server.Sdk();
        string id = await server.CreateJobAsync();
        await server.PlayToSuccessAsync(id);
        FineTuningJob job = await client.GetFineTuningClient().GetJobAsync(id);
        await job.WaitForCompletionAsync();
        Assert.Equal(FineTuningStatus.Succeeded, job.Status);
        Assert.Contains("\"trained_tokens\":1234", job.GetRawResponse().Content.ToString(), StringComparison.Ordinal);

        List<FineTuningCheckpoint> checkpoints = [];
        await foreach (FineTuningCheckpoint checkpoint in job.GetCheckpointsAsync(new GetCheckpointsOptions { PageSize = 1 }))
        {
            checkpoints.Add(checkpoint);
        }
        Assert.Equal([20, 10], checkpoints.Select(c => c.StepNumber));
        Assert.Equal(0.5f, checkpoints[0].Metrics.TrainLoss);

        List<FineTuningEvent> metrics = [];
        await foreach (FineTuningEvent item in job.GetEventsAsync(new GetEventsOptions { PageSize = 7 }))
        {
            if (item.Kind == FineTuningJobEventKind.Metrics)
            {
                metrics.Add(item);
            }
        }
        Assert.Equal(20, metrics.Count);

        BinaryData csv = await client.GetOpenAIFileClient().DownloadFileAsync(job.ResultFileIds[0]);
        Assert.StartsWith("step,train_loss", csv.ToString(), StringComparison.Ordinal);

        OpenAIModelClient models = client.GetOpenAIModelClient();
        string name = checkpoints[0].ModelId;
        OpenAIModelCollection all = await models.GetModelsAsync();
        Assert.Contains(all, model => model.Id == name);
        Assert.Equal(name, (await models.GetModelAsync(name)).Value.Id);
        Assert.True((await models.DeleteModelAsync(name)).Value.Deleted);
        await RefusedAsync(404, () => models.GetModelAsync(name));
    }

    [Fact]
    public async Task A_failed_job_carries_its_error()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        await server.Store.RejectFilesAsync(id, new JobError("invalid_training_file", "Line 3 is bad.", "training_file"), default);
        FineTuningJob job = await server.Sdk().GetFineTuningClient().GetJobAsync(id);
        Assert.Equal(FineTuningStatus.Failed, job.Status);
        Assert.True(job.HasCompleted);
    }

    [Fact]
    public async Task Chat_answers_whole_and_in_a_stream()
    {
        await using TestServer server = await TestServer.StartAsync();
        ChatClient chat = server.Sdk().GetChatClient(TestServer.BaseModel);
        ChatCompletionOptions options = new() { MaxOutputTokenCount = 8, Temperature = 0, IncludeLogProbabilities = true, TopLogProbabilityCount = 2 };
        ChatMessage[] messages = [ChatMessage.CreateSystemMessage("Be short."), ChatMessage.CreateUserMessage("Hi there")];
        ChatCompletion whole = await chat.CompleteChatAsync(messages, options);
        Assert.Equal((ChatMessageRole.Assistant, ChatFinishReason.Length), (whole.Role, whole.FinishReason));
        Assert.Equal(8, whole.Usage.OutputTokenCount);
        Assert.Equal(2, whole.ContentTokenLogProbabilities[0].TopLogProbabilities.Count);

        string text = "";
        ChatFinishReason? finish = null;
        ChatTokenUsage? usage = null;
        await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync(messages, options))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            finish ??= update.FinishReason;
            usage ??= update.Usage;
        }
        Assert.Equal(whole.Content[0].Text, text);
        Assert.Equal(ChatFinishReason.Length, finish);
        Assert.Equal(8, usage!.OutputTokenCount);

        ClientResultException refused = await RefusedAsync(404, () => server.Sdk().GetChatClient("none").CompleteChatAsync(messages));
        Assert.Contains("model_not_found", refused.Message, StringComparison.Ordinal);
        refused = await RefusedAsync(400, () => chat.CompleteChatAsync(messages, new ChatCompletionOptions { Temperature = 3 }));
        Assert.Contains("'temperature'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_refusal_is_the_clients_own_exception_with_status_and_message()
    {
        await using TestServer server = await TestServer.StartAsync();
        OpenAIClient client = server.Sdk();
        ClientResultException refused = await RefusedAsync(401, () => server.Sdk("sk-wrong-key-of-nobody").GetOpenAIModelClient().GetModelsAsync());
        Assert.Contains("Incorrect API key provided", refused.Message, StringComparison.Ordinal);
        refused = await RefusedAsync(404, () => client.GetOpenAIModelClient().GetModelAsync("none"));
        Assert.Contains("model_not_found", refused.Message, StringComparison.Ordinal);
        refused = await RefusedAsync(404, () => client.GetFineTuningClient().GetJobAsync("ftjob-none"));
        Assert.Contains("Could not find fine tune: ftjob-none", refused.Message, StringComparison.Ordinal);
        refused = await RefusedAsync(400, () => client.GetFineTuningClient().FineTuneAsync("none", "file-none", waitUntilCompleted: false));
        Assert.Contains("is not available for fine-tuning", refused.Message, StringComparison.Ordinal);
        Assert.Contains("No such File object: file-none", refused.Message, StringComparison.Ordinal);
        refused = await RefusedAsync(400, () => client.GetOpenAIFileClient().UploadFileAsync(
            BinaryData.FromString("not json"), "train.jsonl", FileUploadPurpose.FineTune));
        Assert.Contains("Line 1 is not a dictionary", refused.Message, StringComparison.Ordinal);
        refused = await RefusedAsync(403, () => client.GetOpenAIModelClient().DeleteModelAsync(TestServer.BaseModel));
        Assert.Contains("base model", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<ClientResultException> RefusedAsync(int status, Func<Task> call)
    {
        ClientResultException exception = await Assert.ThrowsAsync<ClientResultException>(call);
        Assert.Equal(status, exception.Status);
        return exception;
    }
}
