using System.Globalization;
using System.Text;
using System.Text.Json;
using Anneal.Jobs;

namespace Anneal.Server.Runs;

/// <summary>
/// The result file of a supervised job: a CSV with a row a step, upstream's five columns first. It is made from the stored
/// events, so it is whole whatever happened to the workers on the way.
/// </summary>
internal static class ResultTable
{
    /// <summary>Its file name.</summary>
    public const string FileName = "step_metrics.csv";

    private const int PageItems = 5000;

    private static readonly (string Column, string Metric)[] Columns =
    [
        ("step", "step"),
        ("train_loss", "train_loss"),
        ("train_accuracy", "train_mean_token_accuracy"),
        ("valid_loss", "valid_loss"),
        ("valid_mean_token_accuracy", "valid_mean_token_accuracy"),
        ("full_valid_loss", "full_valid_loss"),
        ("full_valid_mean_token_accuracy", "full_valid_mean_token_accuracy"),
    ];

    /// <summary>The table of all steps that the job has measured.</summary>
    public static async Task<byte[]> WriteAsync(JobStore store, string jobId, CancellationToken cancellation)
    {
        StringBuilder csv = new();
        csv.AppendJoin(',', Columns.Select(c => c.Column)).Append('\n');
        List<(int Step, string Row)> rows = [];
        long sequence = 0;
        IReadOnlyList<JobEvent> page;
        do
        {
            page = await store.ListEventsSinceAsync(jobId, sequence, PageItems, cancellation);
            rows.AddRange(page.Where(e => e.Step is not null).Select(e => (e.Step!.Value, Row(e.DataJson!))));
            sequence = page.Count > 0 ? page[^1].Sequence : sequence;
        }
        while (page.Count == PageItems);

        foreach ((_, string row) in rows.OrderBy(r => r.Step))
        {
            csv.Append(row).Append('\n');
        }
        return Encoding.UTF8.GetBytes(csv.ToString());
    }

    private static string Row(string dataJson)
    {
        using JsonDocument data = JsonDocument.Parse(dataJson);
        return string.Join(',', Columns.Select(column =>
            data.RootElement.TryGetProperty(column.Metric, out JsonElement value)
                ? value.GetDouble().ToString("R", CultureInfo.InvariantCulture)
                : ""));
    }
}
