namespace Anneal.Jobs.Supervision;

/// <summary>
/// Takes jobs away from workers that stopped sending heartbeats. It acts on leases alone, never on the age of a job, so a
/// long healthy job is never touched.
/// </summary>
public sealed class Rescuer(JobStore store)
{
    /// <summary>Looks once at every lease.</summary>
    public async Task<IReadOnlyList<SupervisionNote>> RunOnceAsync(CancellationToken cancellation)
    {
        List<SupervisionNote> notes = [];
        foreach (Run run in await store.ListExpiredRunsAsync(cancellation).ConfigureAwait(false))
        {
            Job? job = await store.RescueAsync(run.Lease, "its heartbeats stopped", cancellation).ConfigureAwait(false);
            if (job is not null)
            {
                notes.Add(new SupervisionNote(
                    $"A run without heartbeats was ended; its job is now {job.Status.ToName()}.", job.Id, run.Id));
            }
        }

        return notes;
    }
}
