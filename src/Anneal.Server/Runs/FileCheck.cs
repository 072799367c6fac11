using System.Globalization;
using System.Text;
using Anneal.Engine.Data;
using Anneal.Jobs;
using Anneal.Jobs.Blobs;

namespace Anneal.Server.Runs;

/// <summary>
/// The phase <c>validating_files</c>: reads a new job's files line by line and moves the job to the queue, or to failure with
/// everything that is wrong. It changes nothing before its verdict, so it may be interrupted and done again.
/// </summary>
internal sealed class FileCheck(JobStore store, IBlobStore blobs)
{
    private const int FaultsTold = 5;

    /// <summary>Checks the oldest waiting job. False when none was waiting.</summary>
    public async Task<bool> RunOnceAsync(CancellationToken cancellation)
    {
        if (await store.NextToValidateAsync(cancellation) is not Job job)
        {
            return false;
        }
        (JobError? error, int examples) = await CheckAsync(job, job.TrainingFile, "training_file", cancellation);
        if (error is null && job.ValidationFile is not null)
        {
            (error, _) = await CheckAsync(job, job.ValidationFile, "validation_file", cancellation);
        }
        if (error is not null)
        {
            await store.RejectFilesAsync(job.Id, error, cancellation);
        }
        else
        {
            await store.AcceptFilesAsync(job.Id, TrainingDefaults.Resolve(job.HyperparametersJson, examples), cancellation);
        }
        return true;
    }

    /// <summary>The sentence that a job's error begins with.</summary>
    /// <param name="param"><c>training_file</c> or <c>validation_file</c>.</param>
    /// <param name="what">What is wrong.</param>
    public static string Failure(string param, string what) =>
        $"The job failed due to an invalid {param.Replace('_', ' ')}. {what}";

    /// <summary>What is wrong with a line; the fault's own message names the line and the place in it.</summary>
    public static string Describe(DataFault fault) => fault.Line == 0 ? fault.Message : $"Invalid file format. {fault.Message}";

    private async Task<(JobError? Error, int Examples)> CheckAsync(
        Job job, string fileId, string param, CancellationToken cancellation)
    {
        string code = "invalid_" + param;
        StoredFile? file = await store.GetJobFileAsync(job.Id, fileId, cancellation);
        using Stream? content = file is null ? null : blobs.OpenRead(file.BlobKey);
        if (content is null)
        {
            return (new JobError(code, Failure(param, $"The content of {fileId} is missing."), param), 0);
        }

        List<DataFault> told = [];
        int faults = 0;
        int examples = 0;
        await foreach (ChatLine line in ChatFile.ReadAsync(content, cancellation: cancellation))
        {
            examples += line.Example is null ? 0 : 1;
            faults += line.Faults.Count;
            told.AddRange(line.Faults.Take(FaultsTold - told.Count));
            if (faults >= ChatFile.MaxFaults)
            {
                // The file is something else; reading on would tell nothing more.
                break;
            }
        }
        if (faults > 0)
        {
            return (new JobError(code, Failure(param, Summary(told, faults)), param), examples);
        }
        return param == "training_file" && ChatFile.CheckCount(examples) is DataFault tooFew
            ? (new JobError(tooFew.Code, tooFew.Message, param), examples)
            : (null, examples);
    }

    private static string Summary(List<DataFault> told, int faults)
    {
        StringBuilder text = new(Describe(told[0]));
        foreach (DataFault fault in told.Skip(1))
        {
            text.Append("; ").Append(fault.Message);
        }
        if (faults > told.Count)
        {
            text.Append(CultureInfo.InvariantCulture, $"; and {faults - told.Count} more");
        }
        return text.ToString();
    }
}
