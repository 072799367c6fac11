using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Generation;
using Anneal.Engine.Text;

namespace Anneal.Server.Chat;

/// <summary>A base model in memory with its text side and its generator, and the adapters that are loaded beside it.</summary>
internal sealed class LoadedBase : IAsyncDisposable
{
    /// <summary>Adapters kept in memory; the one used longest ago makes room for a new one.</summary>
    private const int AdaptersMax = 64;

    private readonly BaseModel _model;
    private readonly CpuCompute _compute;
    private readonly Lock _gate = new();
    private readonly LinkedList<string> _adapters = [];

    private LoadedBase(BaseModel model, ModelText text)
    {
        _model = model;
        Text = text;
        _compute = new CpuCompute();
        Generator = new Generator(model, text.Tokenizer, text.StopIds.ToHashSet(), _compute);
    }

    /// <summary>Tokenizer, chat template and special tokens.</summary>
    public ModelText Text { get; }

    /// <summary>Generates with the base and its adapters.</summary>
    public Generator Generator { get; }

    /// <summary>Loads a folder in Hugging Face layout.</summary>
    /// <exception cref="InvalidDataException">Something in it is damaged or unsupported; the message names file and field.</exception>
    public static LoadedBase Load(string folder)
    {
        ModelText text = ModelText.Load(folder);
        BaseModel model = BaseModel.Load(folder);
        return new LoadedBase(model, text);
    }

    /// <summary>Makes sure that an adapter is loaded, and remembers that it was just used.</summary>
    /// <exception cref="InvalidDataException">The folder is not an adapter of this base.</exception>
    public void EnsureAdapter(string name, string folder)
    {
        lock (_gate)
        {
            if (!_adapters.Remove(name))
            {
                Generator.LoadAdapter(name, folder);
            }
            _adapters.AddLast(name);
            if (_adapters.Count > AdaptersMax)
            {
                Generator.UnloadAdapter(_adapters.First!.Value);
                _adapters.RemoveFirst();
            }
        }
    }

    /// <summary>Unloads an adapter, if it is loaded. Requests that use it go on.</summary>
    public void ForgetAdapter(string name)
    {
        lock (_gate)
        {
            if (_adapters.Remove(name))
            {
                Generator.UnloadAdapter(name);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Generator.DisposeAsync();
        _compute.Dispose();
        _model.Dispose();
    }
}
