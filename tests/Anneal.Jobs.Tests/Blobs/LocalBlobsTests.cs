using System.Security.Cryptography;
using System.Text;
using Anneal.Jobs.Blobs;
using Anneal.Jobs.Supervision;

namespace Anneal.Jobs.Tests.Blobs;

public sealed class LocalBlobsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("anneal-blobs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_blob_is_stored_whole_with_its_hash_and_read_from_any_place()
    {
        LocalBlobs blobs = new(_folder);
        byte[] bytes = RandomNumberGenerator.GetBytes(300_001);
        BlobInfo info = await blobs.WriteAsync("files/file-a", new MemoryStream(bytes), 300_001, default);
        Assert.Equal(
            new BlobInfo("files/file-a", bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))), info);
        Assert.True(await blobs.VerifyAsync(info.Key, info.Bytes, info.Sha256, default));

        await using Stream stream = blobs.OpenRead(info.Key)!;
        stream.Position = 1234;
        byte[] part = new byte[100];
        await stream.ReadExactlyAsync(part);
        Assert.Equal(bytes[1234..1334], part);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(blobs.LocalPath(info.Key)!));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "tmp")));
    }

    [Fact]
    public async Task A_changed_cut_or_missing_blob_is_noticed()
    {
        LocalBlobs blobs = new(_folder);
        BlobInfo info = await blobs.WriteAsync("states/a", Content("0123456789"), 100, default);
        string path = blobs.LocalPath(info.Key)!;
        await File.WriteAllTextAsync(path, "0123x56789");
        Assert.False(await blobs.VerifyAsync(info.Key, info.Bytes, info.Sha256, default));
        await File.WriteAllTextAsync(path, "012345678");
        Assert.False(await blobs.VerifyAsync(info.Key, info.Bytes, info.Sha256, default));
        Assert.True(blobs.Delete(info.Key));
        Assert.False(await blobs.VerifyAsync(info.Key, info.Bytes, info.Sha256, default));
        Assert.False(blobs.Delete(info.Key));
        Assert.Null(blobs.OpenRead(info.Key));
        Assert.Null(blobs.LocalPath(info.Key));
    }

    [Fact]
    public async Task A_write_that_fails_or_is_too_large_leaves_nothing()
    {
        LocalBlobs blobs = new(_folder);
        BlobTooLargeException large = await Assert.ThrowsAsync<BlobTooLargeException>(
            () => blobs.WriteAsync("files/a", Content("12345"), 4, default));
        Assert.Equal(4, large.BytesMax);
        await Assert.ThrowsAsync<EndOfStreamException>(
            () => blobs.WriteAsync("files/a", new BreakingStream(200_000), long.MaxValue, default));
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => blobs.WriteAsync("files/a", Content("1"), 10, cancelled.Token));
        Assert.Empty(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_key_is_written_once()
    {
        LocalBlobs blobs = new(_folder);
        await blobs.WriteAsync("files/a", Content("first"), 10, default);
        await Assert.ThrowsAsync<BlobStorageException>(() => blobs.WriteAsync("files/a", Content("second"), 10, default));
        Assert.Equal("first", await File.ReadAllTextAsync(blobs.LocalPath("files/a")!));
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("files/../../x")]
    [InlineData("/etc/passwd")]
    [InlineData("files//a")]
    [InlineData("files/.hidden")]
    [InlineData("files/a b")]
    [InlineData("files\\a")]
    [InlineData("")]
    public async Task A_key_that_could_leave_the_folder_is_refused(string key)
    {
        LocalBlobs blobs = new(_folder);
        await Assert.ThrowsAsync<ArgumentException>(() => blobs.WriteAsync(key, Content("x"), 10, default));
        Assert.Throws<ArgumentException>(() => blobs.OpenRead(key));
        Assert.Throws<ArgumentException>(() => blobs.Delete(key));
    }

    [Fact]
    public async Task A_full_disk_is_reported_as_such_and_harms_nothing()
    {
        // /dev/full answers every write with ENOSPC, as a full disk does.
        Assert.SkipUnless(File.Exists("/dev/full"), "This system has no /dev/full.");
        LocalBlobs blobs = new(_folder);
        await blobs.WriteAsync("files/a", Content("first"), 10, default);
        string temporary = Path.Combine(_folder, "tmp");
        Directory.Delete(temporary);

        // A mount cannot be made here; a folder that cannot be written to takes the same way as the error.
        BlobStorageException broken = await Assert.ThrowsAsync<BlobStorageException>(
            () => blobs.WriteAsync("files/b", Content("second"), 10, default));
        Assert.Contains("Cannot store into", broken.Message, StringComparison.Ordinal);
        BlobStorageException full = LocalBlobs.Explain(_folder, Assert.ThrowsAny<IOException>(
            () => File.WriteAllText("/dev/full", "x")));
        Assert.Contains("is full", full.Message, StringComparison.Ordinal);
        Assert.Equal("first", await File.ReadAllTextAsync(blobs.LocalPath("files/a")!));
        Assert.Null(blobs.OpenRead("files/b"));
    }

    [Fact]
    public async Task The_sweep_removes_old_blobs_that_no_row_knows_and_unfinished_writes()
    {
        await using StoreBed bed = new();
        LocalBlobs blobs = new(bed.Folder);
        Retention retention = new(bed.Store, blobs, TimeProvider.System);
        StoredFile file = await bed.AddFileAsync();
        ClaimedRun run = await bed.StartAsync();
        NewCheckpoint checkpoint = bed.NewCheckpoint(1);
        await bed.Store.SaveCheckpointAsync(run.Run.Lease, checkpoint, default);
        foreach (string key in (string[])[file.BlobKey, checkpoint.Files[0].BlobKey, "files/orphan", "files/young"])
        {
            await blobs.WriteAsync(key, Content("x"), 10, default);
        }

        string unfinished = Path.Combine(bed.Folder, "tmp", "write-old");
        await File.WriteAllTextAsync(unfinished, "half");
        DateTime old = TimeProvider.System.GetUtcNow().UtcDateTime - TimeSpan.FromHours(25);
        foreach (string key in (string[])[file.BlobKey, checkpoint.Files[0].BlobKey, "files/orphan"])
        {
            File.SetLastWriteTimeUtc(blobs.LocalPath(key)!, old);
        }

        File.SetLastWriteTimeUtc(unfinished, old);

        Assert.Equal(1, await retention.SweepOrphansAsync(default));

        Assert.Null(blobs.LocalPath("files/orphan"));
        Assert.NotNull(blobs.LocalPath("files/young"));
        Assert.NotNull(blobs.LocalPath(file.BlobKey));
        Assert.NotNull(blobs.LocalPath(checkpoint.Files[0].BlobKey));
        Assert.False(File.Exists(unfinished));

        await bed.Store.DeleteFileAsync(file.Id, default);
        Assert.NotNull(blobs.LocalPath(file.BlobKey));
        await retention.RunOnceAsync(default);
        Assert.Null(blobs.LocalPath(file.BlobKey));
        Assert.Empty(await bed.Store.ListDroppedBlobsAsync(10, default));
    }

    private static MemoryStream Content(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>A sender that hangs up after some bytes.</summary>
    private sealed class BreakingStream(int bytes) : Stream
    {
        private int _left = bytes;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_left == 0)
            {
                throw new EndOfStreamException("The sender hung up.");
            }

            int read = Math.Min(_left, count);
            _left -= read;
            return read;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
