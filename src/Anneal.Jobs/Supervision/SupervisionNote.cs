namespace Anneal.Jobs.Supervision;

/// <summary>What a supervisor did, for the log of whoever runs it.</summary>
/// <param name="What">In words, a whole sentence without the ids.</param>
/// <param name="JobId">The job, or null.</param>
/// <param name="RunId">The run, or null.</param>
public sealed record SupervisionNote(string What, string? JobId, string? RunId);
