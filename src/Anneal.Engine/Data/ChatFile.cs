using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Anneal.Engine.Data;

/// <summary>One line of a file: an example, or what is wrong with it.</summary>
/// <param name="Line">Line of the file, from 1; 0 for a fault of the whole file.</param>
/// <param name="Example">The example; null if the line has faults.</param>
/// <param name="Faults">All faults of the line.</param>
public sealed record ChatLine(int Line, ChatExample? Example, IReadOnlyList<DataFault> Faults);

/// <summary>A whole file.</summary>
/// <param name="Examples">The lines without faults.</param>
/// <param name="Faults">All faults, in the order of the file.</param>
/// <param name="LineCount">Number of lines.</param>
public sealed record ChatFileContents(IReadOnlyList<ChatExample> Examples, IReadOnlyList<DataFault> Faults, int LineCount);

/// <summary>
/// Reads OpenAI's supervised chat format: JSON Lines, UTF-8 with or without a byte order mark, one conversation a line.
/// </summary>
public static class ChatFile
{
    /// <summary>Examples that a job needs at least.</summary>
    public const int MinimumExamples = 10;

    /// <summary>Bytes of the longest line that is read.</summary>
    public const int DefaultMaxLineBytes = 64 * 1024 * 1024;

    /// <summary>Faults after which <see cref="LoadAsync"/> stops reading: the file is something else.</summary>
    public const int MaxFaults = 10_000;

    /// <summary>Reads line by line. The stream is read to its end and not closed.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="maxLineBytes">Longer lines are skipped and reported.</param>
    /// <param name="cancellation">Stops reading.</param>
    public static async IAsyncEnumerable<ChatLine> ReadAsync(
        Stream stream, int maxLineBytes = DefaultMaxLineBytes, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        int last = 0;
        bool anything = false;
        await foreach ((int line, ReadOnlyMemory<byte> bytes, bool tooLong) in Lines.ReadAsync(stream, maxLineBytes, cancellation))
        {
            last = line;
            anything |= tooLong || !IsBlank(bytes.Span);
            yield return tooLong ? TooLong(line, maxLineBytes) : ReadLine(line, bytes);
        }

        if (!anything)
        {
            yield return Faulty(0, DataFaultCodes.EmptyFile, last == 0
                ? "The file is empty. Each line must hold one example: {\"messages\": [{\"role\": \"user\", …}, {\"role\": \"assistant\", …}]}."
                : "The file has only blank lines. Each line must hold one example: "
                + "{\"messages\": [{\"role\": \"user\", …}, {\"role\": \"assistant\", …}]}.");
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="stream">The file; it is not closed.</param>
    /// <param name="maxLineBytes">Longer lines are skipped and reported.</param>
    /// <param name="cancellation">Stops reading.</param>
    public static async Task<ChatFileContents> LoadAsync(
        Stream stream, int maxLineBytes = DefaultMaxLineBytes, CancellationToken cancellation = default)
    {
        List<ChatExample> examples = [];
        List<DataFault> faults = [];
        int lines = 0;
        await foreach (ChatLine line in ReadAsync(stream, maxLineBytes, cancellation))
        {
            lines = Math.Max(lines, line.Line);
            faults.AddRange(line.Faults);
            if (line.Example is not null)
            {
                examples.Add(line.Example);
            }

            if (faults.Count >= MaxFaults)
            {
                faults.Add(new DataFault(
                    line.Line, "", DataFaultCodes.TooManyFaults, $"Reading stopped at line {line.Line}: the file has {faults.Count} faults so far."));
                break;
            }
        }

        return new ChatFileContents(examples, faults, lines);
    }

    /// <summary>The fault of a file with fewer examples than a job needs; null if it has enough.</summary>
    /// <param name="examples">Number of examples.</param>
    /// <param name="fileKind">"Training" or "Validation".</param>
    public static DataFault? CheckCount(int examples, string fileKind = "Training") => examples >= MinimumExamples
        ? null
        : new DataFault(0, "", DataFaultCodes.TooFewExamples, string.Create(
            CultureInfo.InvariantCulture, $"{fileKind} file has {examples} example(s), but must have at least {MinimumExamples} examples"));

    /// <summary>Reads one line's bytes.</summary>
    internal static ChatLine ReadLine(int line, ReadOnlyMemory<byte> bytes)
    {
        if (IsBlank(bytes.Span))
        {
            return Faulty(line, DataFaultCodes.BlankLine, $"Line {line} is blank. Each line must hold one example; take the line out.");
        }

        List<DataFault> faults = [];
        JsonNode? value = LineJson.Parse(line, bytes, faults);
        if (value is not JsonObject json)
        {
            if (faults.Count == 0)
            {
                faults.Add(new DataFault(line, "", DataFaultCodes.NotAnObject,
                    "Expected file to have JSONL format, where every line is a JSON dictionary. "
                    + $"Line {line} is not a dictionary (HINT: line starts with: \"{Beginning(bytes.Span)}...\")."));
            }

            return new ChatLine(line, null, faults);
        }

        new ChatLineCheck(line, faults).Check(json);
        return faults.Count > 0
            ? new ChatLine(line, null, faults)
            : new ChatLine(line, new ChatExample(line, Detach(json), Text.ChatMessages.Tools(json["tools"], json["functions"])), faults);
    }

    private static JsonArray Detach(JsonObject json)
    {
        JsonArray messages = json["messages"]!.AsArray();
        json.Remove("messages");
        return messages;
    }

    private static ChatLine TooLong(int line, int maxLineBytes) => Faulty(line, DataFaultCodes.LineTooLong,
        $"Line {line} has more than {maxLineBytes} bytes. An example must fit on one line; is a line end missing?");

    private static ChatLine Faulty(int line, string code, string message) => new(line, null, [new DataFault(line, "", code, message)]);

    private static bool IsBlank(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyExcept(" \t\r"u8) < 0;

    private static string Beginning(ReadOnlySpan<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, 4)]);

    /// <summary>Cuts a stream into lines.</summary>
    private static class Lines
    {
        public static async IAsyncEnumerable<(int Line, ReadOnlyMemory<byte> Bytes, bool TooLong)> ReadAsync(
            Stream stream, int maxLineBytes, [EnumeratorCancellation] CancellationToken cancellation)
        {
            PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
            int line = 0;
            bool skipping = false;
            byte[] buffer = [];
            while (true)
            {
                ReadResult result = await reader.ReadAsync(cancellation);
                ReadOnlySequence<byte> rest = result.Buffer;
                while (TakeLine(ref rest, result.IsCompleted, out ReadOnlySequence<byte> bytes))
                {
                    line++;
                    bool tooLong = skipping || bytes.Length > maxLineBytes;
                    int length = tooLong ? 0 : Copy(bytes, ref buffer);
                    skipping = false;
                    yield return (line, WithoutMark(line, buffer.AsMemory(0, length)), tooLong);
                }

                // A line longer than the limit is thrown away as it comes, up to its end.
                if (rest.Length > maxLineBytes)
                {
                    skipping = true;
                    rest = rest.Slice(rest.End);
                }

                reader.AdvanceTo(rest.Start, rest.End);
                if (result.IsCompleted)
                {
                    if (skipping)
                    {
                        yield return (line + 1, default, true);
                    }

                    await reader.CompleteAsync();
                    yield break;
                }
            }
        }

        private static bool TakeLine(
            ref ReadOnlySequence<byte> rest, bool isLast, out ReadOnlySequence<byte> line)
        {
            SequencePosition? end = BuffersExtensions.PositionOf(rest, (byte)'\n');
            if (end is SequencePosition position)
            {
                line = rest.Slice(0, position);
                rest = rest.Slice(rest.GetPosition(1, position));
                return true;
            }

            line = rest;
            if (!isLast || rest.IsEmpty)
            {
                return false;
            }

            rest = rest.Slice(rest.End);
            return true;
        }

        private static int Copy(in ReadOnlySequence<byte> bytes, ref byte[] buffer)
        {
            int length = (int)bytes.Length;
            if (buffer.Length < length)
            {
                buffer = new byte[Math.Max(length, buffer.Length * 2)];
            }

            BuffersExtensions.CopyTo(bytes, buffer);
            return length;
        }

        private static ReadOnlyMemory<byte> WithoutMark(int line, ReadOnlyMemory<byte> bytes)
        {
            if (line == 1 && bytes.Span.StartsWith("\uFEFF"u8))
            {
                bytes = bytes[3..];
            }

            return bytes.Length > 0 && bytes.Span[^1] == '\r' ? bytes[..^1] : bytes;
        }
    }
}
