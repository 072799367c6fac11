using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Anneal.Server.Chat;

/// <summary>
/// The <c>n</c> answers of one request, generated side by side. A given seed makes the first answer what it would be alone, and
/// the others different from it and reproducible as well.
/// </summary>
internal sealed class ChatAnswers(IChatModel model, ChatPrompt prompt, int count)
{
    /// <summary>Pieces that may wait for a slow client before generation pauses.</summary>
    private const int PiecesWaitingMax = 256;

    /// <summary>
    /// Pieces of all answers as they come, each with its answer's index. When one answer fails all end, and the failure is thrown.
    /// Leaving the enumeration early ends the generation.
    /// </summary>
    public async IAsyncEnumerable<(int Index, ChatPiece Piece)> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        if (count == 1)
        {
            await foreach (ChatPiece piece in model.GenerateAsync(prompt, cancellation))
            {
                yield return (0, piece);
            }
            yield break;
        }
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // Bounded: a client that reads slowly makes the generator wait instead of filling the memory.
        Channel<(int, ChatPiece)> pieces = Channel.CreateBounded<(int, ChatPiece)>(
            new BoundedChannelOptions(PiecesWaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        Task[] running = [.. Enumerable.Range(0, count).Select(index => PumpAsync(index, pieces.Writer, ending.Token))];
        Task closing = CloseAsync(running, pieces.Writer);
        try
        {
            await foreach ((int, ChatPiece) piece in pieces.Reader.ReadAllAsync(cancellation))
            {
                yield return piece;
            }
        }
        finally
        {
            await ending.CancelAsync();
            await closing;
        }
    }

    private async Task PumpAsync(int index, ChannelWriter<(int, ChatPiece)> writer, CancellationToken cancellation)
    {
        ChatSampling sampling = prompt.Sampling;
        ChatPrompt mine = prompt with { Sampling = sampling with { Seed = unchecked(sampling.Seed + index) } };
        try
        {
            await foreach (ChatPiece piece in model.GenerateAsync(mine, cancellation))
            {
                await writer.WriteAsync((index, piece), cancellation);
            }
        }
        catch (Exception failure)
        {
            // The reader sees the first failure at once; the others are cancelled by it.
            writer.TryComplete(failure);
        }
    }

    private static async Task CloseAsync(Task[] running, ChannelWriter<(int, ChatPiece)> writer)
    {
        await Task.WhenAll(running);
        writer.TryComplete();
    }
}
