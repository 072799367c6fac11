using Anneal.Jobs.Blobs;

namespace Anneal.Jobs.Supervision;

/// <summary>Removes what nobody needs: files past their time, blobs that were dropped, blobs that never got a row.</summary>
public sealed class Retention(JobStore store, IBlobStore blobs, TimeProvider time)
{
    private const int BatchMax = 1000;

    /// <summary>Deletes expired files and the bytes of everything dropped so far. Cheap; to be called often.</summary>
    public async Task<IReadOnlyList<SupervisionNote>> RunOnceAsync(CancellationToken cancellation)
    {
        List<SupervisionNote> notes = [];
        int expired = await store.DeleteExpiredFilesAsync(cancellation).ConfigureAwait(false);
        if (expired > 0)
        {
            notes.Add(new SupervisionNote($"{expired} expired files were deleted.", null, null));
        }

        foreach (string key in await store.ListDroppedBlobsAsync(BatchMax, cancellation).ConfigureAwait(false))
        {
            // First the bytes, then the memory of them: a crash in between only means a second try.
            blobs.Delete(key);
            await store.ForgetDroppedBlobAsync(key, cancellation).ConfigureAwait(false);
        }

        return notes;
    }

    /// <summary>
    /// Deletes blobs that no row knows and that are too old to belong to an upload in progress: what a crash between writing
    /// a blob and recording it leaves behind. Walks the whole store; for the start of a server.
    /// </summary>
    public async Task<int> SweepOrphansAsync(CancellationToken cancellation)
    {
        int removed = 0;
        foreach (string key in blobs.ListOlderThan(time.GetUtcNow() - Limits.OrphanBlobAge).ToList())
        {
            if (!await store.KnowsBlobAsync(key, cancellation).ConfigureAwait(false) && blobs.Delete(key))
            {
                removed++;
            }
        }

        return removed;
    }
}
