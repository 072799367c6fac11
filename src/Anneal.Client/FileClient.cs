using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Anneal.Client;

/// <summary>Training and result files.</summary>
public sealed class FileClient
{
    private readonly Transport _transport;

    internal FileClient(Transport transport) => _transport = transport;

    /// <summary>Uploads a file.</summary>
    /// <param name="content">The bytes, read from the present position; not disposed. A lost upload is repeated only if it can seek.</param>
    /// <param name="filename">Its name; training data must end in <c>.jsonl</c>.</param>
    /// <param name="purpose">What it is for.</param>
    /// <param name="progress">Told how many bytes have been sent.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<ApiFile> CreateAsync(
        Stream content, string filename, FilePurpose purpose, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentException.ThrowIfNullOrEmpty(filename);
        long start = content.CanSeek ? content.Position : 0;
        bool sent = false;
        return await _transport.SendAsync(HttpMethod.Post, "files", Form, ClientJson.Default.ApiFile, cancellation).ConfigureAwait(false);

        HttpContent Form()
        {
            if (sent)
            {
                if (!content.CanSeek)
                {
                    throw new ConnectionException("The upload was not accepted and its source cannot be read a second time.", null);
                }

                content.Position = start;
            }

            sent = true;
            // The purpose comes first, so that the service knows it while the bytes arrive.
            var purposePart = new ByteArrayContent(Encoding.UTF8.GetBytes(purpose.Value));
            purposePart.Headers.ContentDisposition = new ContentDispositionHeaderValue("form-data") { Name = "purpose" };
            var filePart = new BorrowedStreamContent(content, progress);
            filePart.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            return new MultipartFormDataContent { purposePart, { filePart, "file", filename } };
        }
    }

    /// <summary>Uploads a file from disk.</summary>
    /// <param name="path">Where it lies; its name is sent without the folder.</param>
    /// <param name="purpose">What it is for.</param>
    /// <param name="progress">Told how many bytes have been sent.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<ApiFile> CreateAsync(
        string path, FilePurpose purpose, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        FileStream content = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using (content.ConfigureAwait(false))
        {
            return await CreateAsync(content, Path.GetFileName(path), purpose, progress, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Lists files, newest first.</summary>
    /// <param name="purpose">Only those for this.</param>
    /// <param name="pageSize">Items of one request.</param>
    /// <param name="cancellation">Gives up.</param>
    public IAsyncEnumerable<ApiFile> ListAsync(FilePurpose? purpose = null, int? pageSize = null, CancellationToken cancellation = default) =>
        _transport.ListAsync(
            purpose is FilePurpose only ? $"files?purpose={Uri.EscapeDataString(only.Value)}" : "files",
            pageSize, null, ClientJson.Default.PageApiFile, file => file.Id, cancellation);

    /// <summary>One file.</summary>
    /// <param name="fileId">Its id.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<ApiFile> RetrieveAsync(string fileId, CancellationToken cancellation = default) =>
        _transport.GetAsync(Path_(fileId), ClientJson.Default.ApiFile, cancellation);

    /// <summary>Deletes a file.</summary>
    /// <param name="fileId">Its id.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<Deletion> DeleteAsync(string fileId, CancellationToken cancellation = default) =>
        _transport.SendAsync(HttpMethod.Delete, Path_(fileId), null, ClientJson.Default.Deletion, cancellation);

    /// <summary>The bytes of a file; the caller disposes the stream.</summary>
    /// <param name="fileId">Its id.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<Stream> ContentAsync(string fileId, CancellationToken cancellation = default)
    {
        HttpResponseMessage response =
            await _transport.SendAsync(HttpMethod.Get, $"{Path_(fileId)}/content", null, cancellation).ConfigureAwait(false);
        // Disposing this stream gives the connection back; the message holds nothing else.
        return await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
    }

    private static string Path_(string fileId)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileId);
        return $"files/{Uri.EscapeDataString(fileId)}";
    }

    // HttpClient disposes contents, and StreamContent its stream: this one leaves the caller's stream open.
    private sealed class BorrowedStreamContent(Stream source, IProgress<long>? progress) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            byte[] buffer = new byte[1 << 16];
            long sent = 0;
            for (int read; (read = await source.ReadAsync(buffer).ConfigureAwait(false)) > 0;)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read)).ConfigureAwait(false);
                sent += read;
                progress?.Report(sent);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = source.CanSeek ? source.Length - source.Position : 0;
            return source.CanSeek;
        }
    }
}
