namespace Anneal.Client;

/// <summary>
/// A client for OpenAI's fine-tuning API: files, jobs, models, chat. It speaks to Anneal and to every service with that API. One instance
/// serves any number of concurrent requests.
/// </summary>
/// <remarks>
/// Every method throws <see cref="ApiException"/> or one of its kinds when the service refuses, <see cref="ConnectionException"/> when it
/// cannot be reached, and <see cref="OperationCanceledException"/> when the token is cancelled.
/// </remarks>
public sealed class AnnealClient : IDisposable
{
    private readonly Transport _transport;

    /// <summary>Makes a client; nothing is sent yet.</summary>
    /// <param name="options">Where the service is.</param>
    public AnnealClient(AnnealClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _transport = new Transport(options);
        Files = new FileClient(_transport);
        Jobs = new JobClient(_transport, options.Time);
        Models = new ModelClient(_transport);
        Chat = new ChatClient(_transport);
    }

    /// <summary>Training and result files.</summary>
    public FileClient Files { get; }

    /// <summary>Fine-tuning jobs, their events and checkpoints.</summary>
    public JobClient Jobs { get; }

    /// <summary>Base and tuned models.</summary>
    public ModelClient Models { get; }

    /// <summary>Answers from models.</summary>
    public ChatClient Chat { get; }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _transport.Dispose();
}
