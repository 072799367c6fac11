using System.Diagnostics;
using System.Runtime.CompilerServices;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Lora;
using Anneal.Engine.Text;

namespace Anneal.Engine.Generation;

/// <summary>
/// Generates text with one base model and any number of adapters. Requests are batched continuously (Yu et al. 2022, "Orca"):
/// each joins at the next step and leaves when it is done, and every step runs all of them through the weights together.
/// </summary>
/// <remarks>
/// One thread of its own does all the work; the public members may be called from any thread. A text does not depend on what
/// else runs beside it, as far as the device's sums are in the same order for every batch size.
/// </remarks>
public sealed class Generator : IAsyncDisposable
{
    private readonly Tokenizer _tokenizer;
    private readonly IReadOnlySet<int> _stopIds;
    private readonly GeneratorOptions _options;
    private readonly DecoderStep _step;
    private readonly int _contextLength;
    private readonly Lock _gate = new();
    private readonly LinkedList<Sequence> _waiting = [];
    private readonly List<Sequence> _active = [];
    private readonly Dictionary<string, LoadedAdapter> _adapters = [];
    private readonly SemaphoreSlim _work = new(0);
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _cacheBytes;
    private ulong _freshSeed;
    private bool _stopping;

    /// <summary>Starts the generator's thread.</summary>
    /// <param name="model">The base; it must outlive the generator.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="stopIds">Ids that end a text: end of turn, end of text.</param>
    /// <param name="compute">The device, used by this generator alone; it must outlive the generator.</param>
    /// <param name="options">Limits.</param>
    public Generator(
        BaseModel model, Tokenizer tokenizer, IReadOnlySet<int> stopIds, ICompute compute, GeneratorOptions? options = null)
    {
        _tokenizer = tokenizer;
        _stopIds = stopIds;
        _options = options ?? new GeneratorOptions();
        _step = new DecoderStep(model, compute);
        _contextLength = model.Config.MaxPositions;
        _freshSeed = BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8));
        _thread = new Thread(Loop) { IsBackground = true, Name = "generator" };
        _thread.Start();
    }

    /// <summary>Loads an adapter in PEFT's format under a name. A name that is loaded already is an error.</summary>
    /// <exception cref="InvalidDataException">The folder is not an adapter of this base model; nothing was loaded.</exception>
    public void LoadAdapter(string name, string folder)
    {
        LoadedAdapter adapter = new(_step.LoadAdapter(folder));
        lock (_gate)
        {
            if (_adapters.TryAdd(name, adapter))
            {
                return;
            }
        }

        adapter.Release();
        throw new ArgumentException($"An adapter named '{name}' is loaded already.", nameof(name));
    }

    /// <summary>Forgets an adapter. Requests that use it go on; its memory is freed after the last of them.</summary>
    /// <returns>False if there was none of that name.</returns>
    public bool UnloadAdapter(string name)
    {
        lock (_gate)
        {
            if (!_adapters.Remove(name, out LoadedAdapter? adapter))
            {
                return false;
            }

            adapter.Release();
            return true;
        }
    }

    /// <summary>Whether an adapter of that name is loaded.</summary>
    public bool HasAdapter(string name)
    {
        lock (_gate)
        {
            return _adapters.ContainsKey(name);
        }
    }

    /// <summary>Generates. Tokens come as they are made; leaving the enumeration early ends the request.</summary>
    /// <exception cref="ContextLengthException">Prompt and new tokens do not fit the model's context or the caches' memory.</exception>
    /// <exception cref="GeneratorBusyException">The queue is full.</exception>
    /// <exception cref="KeyNotFoundException">No adapter of that name is loaded.</exception>
    public async IAsyncEnumerable<GeneratedToken> GenerateAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Sequence sequence = Submit(request);
        await using CancellationTokenRegistration registration = cancellationToken.Register(() => sequence.Cancelled = true);
        try
        {
            await foreach (GeneratedToken token in sequence.Output.Reader.ReadAllAsync(cancellationToken))
            {
                yield return token;
            }
        }
        finally
        {
            sequence.Cancelled = true;
        }
    }

    /// <summary>Ends the thread; requests still running fail.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
        }

        _work.Release();
        await _ended.Task;
        foreach (LoadedAdapter adapter in _adapters.Values)
        {
            adapter.Release();
        }

        _adapters.Clear();
        _step.Dispose();
        _work.Dispose();
    }

    private Sequence Submit(GenerationRequest request)
    {
        int prompt = request.PromptIds.Length;
        ArgumentOutOfRangeException.ThrowIfZero(prompt, nameof(request));
        foreach (int id in request.PromptIds)
        {
            _step.CheckId(id);
        }

        int room = _contextLength - prompt;
        if (room < 1 || request.MaxNewTokens > room)
        {
            throw new ContextLengthException(prompt, request.MaxNewTokens, _contextLength);
        }

        int limit = request.MaxNewTokens ?? room;
        long bytes = _step.CacheBytes(prompt + limit);
        if (bytes > _options.KvCacheBytes)
        {
            throw new ContextLengthException(prompt, limit, (int)(_options.KvCacheBytes / _step.CacheBytes(1)));
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            if (_waiting.Count >= _options.QueueLimit)
            {
                throw new GeneratorBusyException(_options.QueueLimit);
            }

            LoadedAdapter? adapter = null;
            if (request.Adapter is { } name)
            {
                adapter = _adapters.GetValueOrDefault(name)
                    ?? throw new KeyNotFoundException($"No adapter named '{name}' is loaded.");
                adapter.Retain();
            }

            Sequence sequence = new(request, limit, bytes, adapter, _tokenizer, _stopIds, _freshSeed++);
            _waiting.AddLast(sequence);
            _work.Release();
            return sequence;
        }
    }

    private void Loop()
    {
        try
        {
            while (Admit())
            {
                RunStep();
            }
        }
        finally
        {
            ObjectDisposedException ended = new(nameof(Generator));
            lock (_gate)
            {
                _active.AddRange(_waiting);
                _waiting.Clear();
            }

            foreach (Sequence sequence in _active)
            {
                Retire(sequence, ended);
            }

            _active.Clear();
            _ended.SetResult();
        }
    }

    // Takes waiting requests, oldest first, while there is room, and blocks while there is nothing to do. False: the end.
    private bool Admit()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_stopping)
                {
                    return false;
                }

                while (_waiting.First is { } first && _active.Count < _options.MaxBatch)
                {
                    Sequence sequence = first.Value;
                    if (!sequence.Cancelled && _cacheBytes + sequence.CacheBytes > _options.KvCacheBytes)
                    {
                        break;
                    }

                    _waiting.RemoveFirst();
                    if (sequence.Cancelled)
                    {
                        Retire(sequence, null);
                        continue;
                    }

                    _cacheBytes += sequence.CacheBytes;
                    _active.Add(sequence);
                }
            }

            if (_active.Count > 0)
            {
                return true;
            }

            _work.Wait();
        }
    }

    private void RunStep()
    {
        _active.RemoveAll(sequence =>
        {
            if (sequence.Cancelled)
            {
                Leave(sequence, null);
            }

            return sequence.Cancelled;
        });
        if (_active.Count == 0)
        {
            return;
        }

        try
        {
            foreach (Sequence sequence in _active)
            {
                sequence.Cache ??= _step.CreateCache(sequence.Request.PromptIds.Length + sequence.Limit);
            }

            _step.Run(_active);
        }
        catch (Exception fault)
        {
            // Whatever broke (memory for a cache included), these requests cannot go on; each is told, and the generator
            // serves the next ones.
            foreach (Sequence sequence in _active)
            {
                Leave(sequence, fault);
            }

            _active.Clear();
            return;
        }

        _active.RemoveAll(sequence =>
        {
            if (sequence.LogitsRow < 0)
            {
                // A prompt that found no room in this step.
                return false;
            }

            try
            {
                if (!sequence.Take(_step.LogitsOf(sequence)))
                {
                    return false;
                }

                Leave(sequence, null);
            }
            catch (InvalidOperationException fault)
            {
                Leave(sequence, fault);
            }

            return true;
        });
    }

    private void Leave(Sequence sequence, Exception? fault)
    {
        Debug.Assert(_cacheBytes >= sequence.CacheBytes, "A sequence gives back what it took.");
        _cacheBytes -= sequence.CacheBytes;
        Retire(sequence, fault);
    }

    private static void Retire(Sequence sequence, Exception? fault)
    {
        sequence.Cache?.Dispose();
        sequence.Cache = null;
        sequence.Adapter?.Release();
        sequence.Output.Writer.TryComplete(fault);
    }

    /// <summary>An adapter and the number of those who use it: the table of names, and each running request.</summary>
    internal sealed class LoadedAdapter(LoraAdapter weights)
    {
        private static int s_loaded;

        private int _users = 1;

        /// <summary>Above 0 and different for each: rows are sorted by it.</summary>
        public int Number { get; } = Interlocked.Increment(ref s_loaded);

        /// <summary>The weights.</summary>
        public LoraAdapter Weights { get; } = weights;

        /// <summary>One more user.</summary>
        public void Retain() => Interlocked.Increment(ref _users);

        /// <summary>One user less; the last one frees the memory.</summary>
        public void Release()
        {
            if (Interlocked.Decrement(ref _users) == 0)
            {
                Weights.Dispose();
            }
        }
    }
}
