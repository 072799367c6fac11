using Anneal.Jobs;

namespace Anneal.Server.Http;

/// <summary>What is the same for the whole life of a data folder: its organisation and its project.</summary>
internal sealed class Installation(JobStore store)
{
    private string? _organizationId;

    /// <summary><c>org-…</c>, made at the first start and kept in the database.</summary>
    public string OrganizationId => _organizationId ?? throw new InvalidOperationException("The server has not started yet.");

    /// <summary>An installation has one project.</summary>
    public string ProjectId => "proj_default";

    /// <summary>Reads the stored identity, or makes it.</summary>
    public async Task LoadAsync(CancellationToken cancellation) =>
        _organizationId = await store.GetOrAddSettingAsync("organization_id", Ids.Organization(), cancellation);
}
