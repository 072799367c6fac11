using Anneal.Jobs;

namespace Anneal.Server.Runs;

/// <summary>The workers' temporary folders, one a run, under one folder of the data folder.</summary>
internal sealed class ScratchFolders(string root)
{
    /// <summary>Their common folder.</summary>
    public string Root { get; } = root;

    /// <summary>Removes what killed workers left behind.</summary>
    public async Task RemoveEndedAsync(JobStore store, CancellationToken cancellation)
    {
        if (!Directory.Exists(Root))
        {
            return;
        }
        string[] folders = Directory.GetDirectories(Root);
        if (folders.Length == 0)
        {
            return;
        }
        HashSet<string> active = [.. (await store.ListActiveRunsAsync(cancellation)).Select(run => run.Id)];
        foreach (string folder in folders.Where(folder => !active.Contains(Path.GetFileName(folder))))
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // A worker that no longer holds its job still writes into it; the next round gets it.
            }
        }
    }
}
