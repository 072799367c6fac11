using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;
using Anneal.Engine.Tests.Architectures;

namespace Anneal.Engine.Tests.Checkpoints;

public sealed class SafetensorsTests
{
    private const string Good = """{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]}}""";

    [Fact]
    public void A_good_file_gives_its_tensors()
    {
        using TemporaryFolder folder = new();
        string path = Write(folder, Good, 20);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal("F32[2, 2]", file.Get("a").ToString());
        Assert.Equal("BF16[1, 2]", file.Get("b").ToString());
    }

    [Theory]
    [InlineData("""[1]""", 0, "not a JSON object")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}""", 16, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}""", 20, "twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}""", 12, "claims bytes 0..16 of 12")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[16,0]}}""", 16, "claims bytes 16..0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[-16,0]}}""", 16, "whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3,2],"data_offsets":[0,16]}}""", 16, "24 bytes, but its offsets span 16")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,16]}}""", 16, "its offsets span 16")]
    [InlineData("""{"a":{"dtype":"F77","shape":[4],"data_offsets":[0,16]}}""", 16, "unknown dtype 'F77'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e40],"data_offsets":[0,16]}}""", 16, "whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":"4","data_offsets":[0,16]}}""", 16, "not a short list")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,16]}}""", 16, "lacks dtype, shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16],"extra":1}}""", 16, "'extra'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[3],"data_offsets":[8,20]}}""", 20, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}""", 20, "gap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 16, "8 bytes before the end")]
    [InlineData("""{"__metadata__":{"k":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "not a string")]
    public void A_hostile_header_is_refused_with_what_is_wrong(string header, int dataBytes, string what)
    {
        using TemporaryFolder folder = new();
        string path = Write(folder, header, dataBytes);
        InvalidDataException fault = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));
        Assert.Contains(path, fault.Message, StringComparison.Ordinal);
        Assert.Contains(what, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 40)]
    [InlineData(1000UL)]
    [InlineData(1UL)]
    public void A_header_length_that_cannot_be_is_refused(ulong length)
    {
        using TemporaryFolder folder = new();
        string path = Write(folder, Good, 20, length);
        InvalidDataException fault = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));
        Assert.Contains(length.ToString(), fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_cut_of_a_good_file_is_refused()
    {
        using TemporaryFolder folder = new();
        byte[] whole = File.ReadAllBytes(Write(folder, Good, 20));
        string path = folder.File("cut.safetensors");
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));
        }
    }

    [Theory]
    [InlineData("../outside.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/file.safetensors")]
    [InlineData("..\\outside.safetensors")]
    [InlineData("..")]
    public void An_index_that_points_out_of_its_folder_is_refused(string shard)
    {
        using TemporaryFolder folder = new();
        string escaped = shard.Replace("\\", "\\\\", StringComparison.Ordinal);
        File.WriteAllText(folder.File(Safetensors.IndexFile), "{\"weight_map\":{\"a\":\"" + escaped + "\"}}");
        InvalidDataException fault = Assert.Throws<InvalidDataException>(() => Safetensors.OpenFolder(folder.Path));
        Assert.Contains("a file name in the same folder is wanted", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_names_the_shard_that_is_missing_and_the_tensor_that_is_not_in_it()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File(Safetensors.IndexFile), """{"weight_map":{"a":"one.safetensors","c":"one.safetensors"}}""");
        InvalidDataException fault = Assert.Throws<InvalidDataException>(() => Safetensors.OpenFolder(folder.Path));
        Assert.Contains("'one.safetensors', which is not there", fault.Message, StringComparison.Ordinal);
        File.Move(Write(folder, Good, 20), folder.File("one.safetensors"));
        fault = Assert.Throws<InvalidDataException>(() => Safetensors.OpenFolder(folder.Path));
        Assert.Contains("'c'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_is_read_again_and_always_has_the_same_bytes()
    {
        using TemporaryFolder folder = new();
        using ICompute compute = TestDecoder.CreateCompute();
        using Arena arena = compute.CreateArena(1 << 20);
        Tensor matrix = arena.Allocate(3, 5);
        Tensor vector = arena.Allocate(1, 7);
        compute.Upload(matrix, [.. Enumerable.Range(0, 15).Select(i => (i * 0.37f) - 2)]);
        compute.Upload(vector, [.. Enumerable.Range(0, 7).Select(i => 1f / (i + 1))]);
        List<SafetensorsItem> items =
        [
            new("z", matrix, DType.F32), new("half", matrix, DType.F16), new("a", vector, DType.BF16, IsVector: true),
        ];
        SafetensorsWriter.Write(folder.File("1"), compute, items, new Dictionary<string, string> { ["format"] = "pt" });
        items.Reverse();
        SafetensorsWriter.Write(folder.File("2"), compute, items, new Dictionary<string, string> { ["format"] = "pt" });
        Assert.Equal(File.ReadAllBytes(folder.File("1")), File.ReadAllBytes(folder.File("2")));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("1"));
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(matrix.AsSpan<float>().ToArray(), file.Get("z").AsSpan<float>().ToArray());
        Assert.Equal([7L], file.Entries["a"].Shape);
        Assert.Equal(
            [.. vector.AsSpan<float>().ToArray().Select(Bf16.FromSingle)], file.Get("a").AsSpan<ushort>().ToArray());
        Assert.Equal(
            [.. matrix.AsSpan<float>().ToArray().Select(n => (Half)n)], file.Get("half").AsSpan<Half>().ToArray());
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file_and_no_rubbish()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("file"), "old");
        Assert.Throws<IOException>(() => AtomicFile.Write(folder.File("file"), stream =>
        {
            stream.Write("new"u8);
            throw new IOException("No space left on device");
        }));
        Assert.Equal("old", File.ReadAllText(folder.File("file")));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    private static string Write(TemporaryFolder folder, string header, int dataBytes, ulong? length = null)
    {
        string path = folder.File("test.safetensors");
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length ?? (ulong)json.Length);
        json.CopyTo(bytes, 8);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
