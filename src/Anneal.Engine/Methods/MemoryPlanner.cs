using Anneal.Engine.Architectures;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Methods;

/// <summary>The run cannot fit into its memory limit; the message names the settings that would make it fit.</summary>
public sealed class MemoryLimitException(string message) : Exception(message);

/// <summary>What is to be planned for.</summary>
/// <param name="Config">The network.</param>
/// <param name="MaxRank">Largest rank of an adapter; 0 for full training.</param>
/// <param name="Dropout">Whether adapters use dropout.</param>
/// <param name="WeightBytes">Base weights that stay in memory.</param>
/// <param name="ParameterBytes">Trained parameters with gradients and moments.</param>
/// <param name="Longest">Tokens of the longest example.</param>
/// <param name="LargestStep">Tokens of the largest step.</param>
/// <param name="LimitBytes">Bytes in all.</param>
internal readonly record struct MemoryRequest(
    DecoderConfig Config, int MaxRank, bool Dropout, long WeightBytes, long ParameterBytes, int Longest, int LargestStep,
    long LimitBytes);

/// <summary>
/// Decides before the first step how many tokens go through the network at once and how many blocks keep their activations.
/// Fewer tokens at once cost little as long as the matrix products stay large; computing blocks again costs a third more work.
/// So tokens are given up first, down to where products would suffer, and kept blocks after that.
/// </summary>
internal static class MemoryPlanner
{
    /// <summary>The runtime, its code, packed panels of matrix products and tiles of the head.</summary>
    public const long ReserveBytes = 128 << 20;

    // Above this many tokens matrix products no longer gain; below the other they lose.
    private const int TokensMax = 2048;
    private const int TokensMin = 512;

    /// <summary>Plans.</summary>
    /// <param name="request">What for.</param>
    /// <param name="fixedTokens">The budget of the run that is resumed, or null to choose one.</param>
    /// <returns>The room of the activations and what it takes.</returns>
    /// <exception cref="MemoryLimitException">Nothing fits.</exception>
    public static (DecoderRoom Room, long Bytes) Plan(in MemoryRequest request, int? fixedTokens)
    {
        int longest = fixedTokens ?? request.Longest;
        int most = fixedTokens ?? Math.Max(longest, Math.Min(TokensMax, request.LargestStep));
        int least = fixedTokens ?? Math.Max(longest, Math.Min(TokensMin, request.LargestStep));
        for (int tokens = most; ; tokens = Math.Max(least, tokens / 2))
        {
            if (Fits(request, tokens, request.Config.Layers) is { } fit)
            {
                return fit;
            }

            if (tokens == least)
            {
                break;
            }
        }

        for (int tokens = least; ; tokens = Math.Max(longest, tokens / 2))
        {
            for (int slots = request.Config.Layers - 1; slots >= 1; slots--)
            {
                if (Fits(request, tokens, slots) is { } fit)
                {
                    return fit;
                }
            }

            if (tokens == longest)
            {
                break;
            }
        }

        throw Refusal(request, longest);
    }

    /// <summary>Bytes of a decoder's activations: its own constructor run with memory that only counts.</summary>
    public static long ActivationBytes(DecoderConfig config, in DecoderRoom room)
    {
        long bytes = 0;
        _ = new DecoderMemory(config, room, (rows, columns) =>
        {
            bytes += Arena.BytesFor(rows, columns, DType.F32);
            return new Tensor(Arena.Alignment, rows, columns, DType.F32);
        });
        return bytes;
    }

    private static DecoderRoom Room(in MemoryRequest request, int tokens, int slots) =>
        new(tokens, tokens, slots, request.MaxRank, request.Dropout, Backward: true);

    private static (DecoderRoom Room, long Bytes)? Fits(in MemoryRequest request, int tokens, int slots)
    {
        DecoderRoom room = Room(request, tokens, slots);
        long bytes = ActivationBytes(request.Config, room);
        return bytes + request.WeightBytes + request.ParameterBytes + ReserveBytes <= request.LimitBytes ? (room, bytes) : null;
    }

    private static MemoryLimitException Refusal(in MemoryRequest request, int longest)
    {
        long activations = ActivationBytes(request.Config, Room(request, longest, 1));
        long needed = activations + request.WeightBytes + request.ParameterBytes + ReserveBytes;
        string advice = request.MaxRank == 0
            ? "Raise the memory limit, lower the greatest length of an example, or train an adapter instead of every weight."
            : "Raise the memory limit, lower the greatest length of an example, or lower the adapter's rank.";
        return new MemoryLimitException(
            FormattableString.Invariant($"This run needs at least {needed / 1e9:0.00} GB, and its limit is {request.LimitBytes / 1e9:0.00} GB ")
            + FormattableString.Invariant($"(weights {request.WeightBytes / 1e9:0.00}, trained parameters {request.ParameterBytes / 1e9:0.00}, ")
            + FormattableString.Invariant($"activations {activations / 1e9:0.00} for the longest example of {longest} tokens). {advice}"));
    }
}
