using Anneal.Jobs;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Http;

namespace Anneal.Server.Jobs;

/// <summary>Turns jobs into answers: what the wire needs beyond the job itself is the organisation and the time.</summary>
internal sealed class JobAnswers(Installation installation, TimeProvider time)
{
    /// <summary>200 with the job.</summary>
    public IResult Ok(Job job) => ApiJson.Ok(Wire(job), ApiJson.Default.JobWire);

    /// <summary>200 with a page of jobs.</summary>
    public IResult Ok(Page<Job> page) => ApiJson.Ok(
        PlainListWire<JobWire>.Of([.. page.Items.Select(Wire)], page.HasMore), ApiJson.Default.PlainListWireJobWire);

    /// <summary>The answer to cancel, pause and resume. A wrong state is 400: clients would repeat a 409.</summary>
    public IResult Changed(string jobId, string verb, JobChange change) => change.Outcome switch
    {
        JobChangeOutcome.NotFound => ApiError.NoJob(jobId),
        JobChangeOutcome.WrongStatus => ApiError.Bad(
            $"Job {jobId} has status '{change.Job!.Status.ToName()}' and cannot be {Participle(verb)}. {When(verb)}",
            "fine_tuning_job_id", "invalid_job_status"),
        _ => Ok(change.Job!),
    };

    private JobWire Wire(Job job) => JobWire.Of(job, installation.OrganizationId, time.GetUtcNow());

    private static string Participle(string verb) => verb switch
    {
        "cancel" => "cancelled",
        "pause" => "paused",
        _ => "resumed",
    };

    private static string When(string verb) => verb switch
    {
        "cancel" => "Only jobs that have not ended can be.",
        "pause" => "Only queued and running jobs can be.",
        _ => "Only paused jobs can be.",
    };
}
