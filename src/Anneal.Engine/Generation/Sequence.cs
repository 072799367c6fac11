using System.Threading.Channels;
using Anneal.Engine.Text;

namespace Anneal.Engine.Generation;

/// <summary>A request while the <see cref="Generator"/> works on it. Touched by the generator's thread alone, but for <see cref="Cancelled"/>.</summary>
internal sealed class Sequence
{
    private readonly IReadOnlySet<int> _stopIds;
    private readonly Sampler _sampler;
    private readonly StreamingDecoder _decoder;
    private readonly StopStrings _stops;
    private int _made;

    public Sequence(
        GenerationRequest request, int limit, long cacheBytes, Generator.LoadedAdapter? adapter, Tokenizer tokenizer,
        IReadOnlySet<int> stopIds, ulong freshSeed)
    {
        Request = request;
        Limit = limit;
        CacheBytes = cacheBytes;
        Adapter = adapter;
        _stopIds = stopIds;
        _sampler = new Sampler(request.Sampling, request.PromptIds, freshSeed);
        _decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: true);
        _stops = new StopStrings(request.Stop);

        // One slot a token and one for the last flush: writing never blocks the generator's thread.
        Output = Channel.CreateBounded<GeneratedToken>(
            new BoundedChannelOptions(limit + 2) { SingleReader = true, SingleWriter = true });
    }

    public GenerationRequest Request { get; }

    /// <summary>Tokens to generate at most.</summary>
    public int Limit { get; }

    /// <summary>Bytes of the cache, whether it exists yet or not.</summary>
    public long CacheBytes { get; }

    public Generator.LoadedAdapter? Adapter { get; }

    public Channel<GeneratedToken> Output { get; }

    public KvCache? Cache { get; set; }

    /// <summary>The token whose keys and values are not cached yet, once the prompt is.</summary>
    public int LastId { get; private set; }

    /// <summary>Row of the step's logits that belongs to this sequence; set by <see cref="DecoderStep.Run"/>.</summary>
    public int LogitsRow { get; set; }

    /// <summary>Set from any thread: nobody waits for this text any more.</summary>
    public bool Cancelled
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    /// <summary>Draws the next token and writes what became certain. True: the text is complete.</summary>
    public bool Take(ReadOnlySpan<float> logits)
    {
        int id = _sampler.Sample(logits);
        _sampler.Accept(id);
        _made++;
        LastId = id;
        (float logProbability, IReadOnlyList<TokenLogProbability> top) = Describe(logits, id);

        if (_stopIds.Contains(id))
        {
            return Finish(FinishReason.Stop, id, logProbability, top);
        }

        string shown = _stops.Push(_decoder.Push(id));
        if (_stops.Stopped)
        {
            Write(id, shown, logProbability, top, FinishReason.Stop);
            return true;
        }

        if (_made == Limit)
        {
            string rest = shown + _stops.Push(_decoder.Flush());
            FinishReason reason = _stops.Stopped ? FinishReason.Stop : FinishReason.Length;
            Write(id, rest + _stops.Flush(), logProbability, top, reason);
            return true;
        }

        Write(id, shown, logProbability, top, null);
        return false;
    }

    // The end-of-turn token is part of the usage but not of the text.
    private bool Finish(FinishReason reason, int id, float logProbability, IReadOnlyList<TokenLogProbability> top)
    {
        string rest = _stops.Push(_decoder.Flush());
        Write(id, rest + _stops.Flush(), logProbability, top, reason);
        return true;
    }

    private void Write(
        int id, string text, float logProbability, IReadOnlyList<TokenLogProbability> top, FinishReason? reason)
    {
        if (!Output.Writer.TryWrite(new GeneratedToken(id, text, logProbability, top, reason)))
        {
            throw new InvalidOperationException("The output has room for every token, and yet it is full.");
        }
    }

    private (float LogProbability, IReadOnlyList<TokenLogProbability> Top) Describe(ReadOnlySpan<float> logits, int id)
    {
        float largest = float.NegativeInfinity;
        foreach (float logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        double sum = 0;
        foreach (float logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        double logSum = largest + Math.Log(sum);
        int wanted = Request.TopLogProbabilities;
        if (wanted == 0)
        {
            return ((float)(logits[id] - logSum), []);
        }

        // A small heap of the best seen so far: the vocabulary is read once.
        PriorityQueue<int, (float Logit, int NegativeId)> best = new(wanted + 1);
        for (int i = 0; i < logits.Length; i++)
        {
            best.Enqueue(i, (logits[i], -i));
            if (best.Count > wanted)
            {
                best.Dequeue();
            }
        }

        TokenLogProbability[] top = new TokenLogProbability[best.Count];
        for (int i = top.Length - 1; i >= 0; i--)
        {
            int candidate = best.Dequeue();
            top[i] = new TokenLogProbability(candidate, (float)(logits[candidate] - logSum));
        }

        return ((float)(logits[id] - logSum), top);
    }
}
