using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Anneal.Engine.Compute;
using Anneal.Engine.Methods;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Checkpoints;

/// <summary>
/// All that a run needs to go on as if it had never stopped: trained parameters, both moments of the optimizer, the number of
/// steps done, how examples were packed, and a fingerprint of everything else. Batches, dropout masks and learning rates are
/// functions of seed and step.
/// </summary>
/// <remarks>
/// File: the eight bytes "ANNLRUN1", the header's length as a little-endian Int32, a JSON header, for each parameter its
/// values, first and second moments as little-endian F32, and the SHA-256 of all before.
/// </remarks>
public sealed class RunState
{
    private const int HeaderBytesMax = 64 << 20;
    private const int PrefixBytes = 12;
    private const int BlockElements = 1 << 16;

    private static ReadOnlySpan<byte> Magic => "ANNLRUN1"u8;

    private readonly ICompute _compute;
    private readonly IReadOnlyList<TrainedTensor> _tensors;

    internal RunState(
        int step, int microBatchTokens, string fingerprint, ICompute compute, IReadOnlyList<TrainedTensor> tensors)
    {
        Step = step;
        MicroBatchTokens = microBatchTokens;
        Fingerprint = fingerprint;
        _compute = compute;
        _tensors = tensors;
    }

    /// <summary>Steps done.</summary>
    public int Step { get; }

    /// <summary>Token budget of a micro-batch: sums of gradients round by it, so a resumed run keeps it.</summary>
    public int MicroBatchTokens { get; }

    /// <summary>Hash over data, options and base model: a state fits only the run it came from.</summary>
    public string Fingerprint { get; }

    /// <summary>Writes the state. Durable and whole once this returns; an older file is replaced in one moment.</summary>
    /// <exception cref="IOException">The disk is full or the folder cannot be written; an older file is untouched.</exception>
    public void Save(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes the state to a stream, for example that of an upload.</summary>
    public void Write(Stream stream)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] header = Header();
        byte[] prefix = new byte[PrefixBytes];
        Magic.CopyTo(prefix);
        BinaryPrimitives.WriteInt32LittleEndian(prefix.AsSpan(Magic.Length), header.Length);
        Put(prefix);
        Put(header);
        float[] block = new float[BlockElements];
        foreach (TrainedTensor tensor in _tensors)
        {
            ForEachBlock(tensor, ref block, (numbers, part) =>
            {
                _compute.Download(numbers, part);
                Put(MemoryMarshal.AsBytes(numbers));
            });
        }

        stream.Write(hash.GetHashAndReset());

        void Put(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            stream.Write(bytes);
        }
    }

    /// <summary>Reads what a state says of itself, checking the whole file first.</summary>
    /// <exception cref="InvalidDataException">The file is torn, damaged or something else.</exception>
    internal static RunStateHeader Inspect(string path)
    {
        int headerBytes = Verify(path);
        using FileStream file = Open(path);
        file.Position = PrefixBytes;
        byte[] header = new byte[headerBytes];
        file.ReadExactly(header);
        using JsonDocument document = JsonDocument.Parse(header);
        JsonElement root = document.RootElement;
        return new RunStateHeader(
            root.GetProperty("step").GetInt32(),
            root.GetProperty("micro_batch_tokens").GetInt32(),
            root.GetProperty("fingerprint").GetString()!,
            [.. root.GetProperty("parameters").EnumerateArray().Select(p =>
                (p.GetProperty("name").GetString()!, p.GetProperty("length").GetInt64()))],
            PrefixBytes + headerBytes);
    }

    /// <summary>Reads a state into the parameters of a run that is about to go on.</summary>
    /// <exception cref="InvalidDataException">The state belongs to another run; nothing was changed.</exception>
    internal static void Load(
        string path, RunStateHeader header, string fingerprint, ICompute compute, IReadOnlyList<TrainedTensor> tensors)
    {
        if (header.Fingerprint != fingerprint)
        {
            throw new InvalidDataException(
                $"{path} belongs to another run: its data, options or base model differ. Start again without it.");
        }

        if (!header.Parameters.SequenceEqual(tensors.Select(t => (t.Spec.Name, t.Value.Length))))
        {
            throw new InvalidDataException($"{path} holds other parameters than this run trains.");
        }

        using FileStream file = Open(path);
        file.Position = header.DataStart;
        float[] block = new float[BlockElements];
        foreach (TrainedTensor tensor in tensors)
        {
            ForEachBlock(tensor, ref block, (numbers, part) =>
            {
                file.ReadExactly(MemoryMarshal.AsBytes(numbers));
                compute.Upload(part, numbers);
            });
        }
    }

    private delegate void BlockAction(Span<float> numbers, Tensor part);

    private static void ForEachBlock(TrainedTensor tensor, ref float[] block, BlockAction action)
    {
        foreach (Tensor whole in (ReadOnlySpan<Tensor>)[tensor.Value, tensor.FirstMoment, tensor.SecondMoment])
        {
            if (whole.Columns > block.Length)
            {
                block = new float[whole.Columns];
            }

            int rows = Math.Max(1, block.Length / whole.Columns);
            for (int row = 0; row < whole.Rows; row += rows)
            {
                Tensor part = whole.SliceRows(row, Math.Min(rows, whole.Rows - row));
                action(block.AsSpan(0, (int)part.Length), part);
            }
        }
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);

    /// <summary>The whole file is checked before any number of it is used: a torn or damaged state changes nothing.</summary>
    private static int Verify(string path)
    {
        using FileStream file = Open(path);
        long body = file.Length - SHA256.HashSizeInBytes;
        if (body < PrefixBytes)
        {
            throw new InvalidDataException($"{path} is not a run state: it has {file.Length} bytes.");
        }

        byte[] prefix = new byte[PrefixBytes];
        file.ReadExactly(prefix);
        int headerBytes = BinaryPrimitives.ReadInt32LittleEndian(prefix.AsSpan(Magic.Length));
        if (!prefix.AsSpan(0, Magic.Length).SequenceEqual(Magic)
            || headerBytes <= 0 || headerBytes > Math.Min(HeaderBytesMax, body - PrefixBytes))
        {
            throw new InvalidDataException($"{path} is not a run state.");
        }

        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(prefix);
        byte[] buffer = new byte[1 << 20];
        for (long left = body - PrefixBytes; left > 0;)
        {
            int read = file.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (read == 0)
            {
                throw new InvalidDataException($"{path} ends early.");
            }

            hash.AppendData(buffer, 0, read);
            left -= read;
        }

        byte[] stored = new byte[SHA256.HashSizeInBytes];
        file.ReadExactly(stored);
        return hash.GetHashAndReset().AsSpan().SequenceEqual(stored)
            ? headerBytes
            : throw new InvalidDataException($"{path} is damaged: its checksum does not match.");
    }

    private byte[] Header()
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("step", Step);
            json.WriteNumber("micro_batch_tokens", MicroBatchTokens);
            json.WriteString("fingerprint", Fingerprint);
            json.WriteStartArray("parameters");
            foreach (TrainedTensor tensor in _tensors)
            {
                json.WriteStartObject();
                json.WriteString("name", tensor.Spec.Name);
                json.WriteNumber("length", tensor.Value.Length);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}

/// <summary>What a run state says of itself.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="MicroBatchTokens">Token budget of a micro-batch.</param>
/// <param name="Fingerprint">Of the run it belongs to.</param>
/// <param name="Parameters">Trained tensors and their lengths, in the file's order.</param>
/// <param name="DataStart">Byte at which numbers begin.</param>
internal sealed record RunStateHeader(
    int Step, int MicroBatchTokens, string Fingerprint, IReadOnlyList<(string Name, long Length)> Parameters, long DataStart);
