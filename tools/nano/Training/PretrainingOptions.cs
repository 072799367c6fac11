namespace Anneal.Nano.Training;

/// <summary>How anneal-nano is trained. The defaults are the recipe of the bundled model.</summary>
internal sealed record PretrainingOptions
{
    /// <summary>Where the finished model goes.</summary>
    public string Out { get; init; } = Path.Combine("models", "anneal-nano");

    /// <summary>Where the run keeps its state and its log, to go on from after a stop.</summary>
    public string Work { get; init; } = Path.Combine("artifacts", "nano");

    /// <summary>Seed of the corpus, of the first weights and of the order of the documents.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Chapters at the full learning rate.</summary>
    public int Chapters { get; init; } = 6;

    /// <summary>Documents of a chapter; each document of the corpus is seen once.</summary>
    public int ChapterDocuments { get; init; } = 16_000;

    /// <summary>Documents of the last chapter, over which the learning rate falls to zero.</summary>
    public int LastDocuments { get; init; } = 32_000;

    /// <summary>Documents of a step.</summary>
    public int DocumentsPerStep { get; init; } = 64;

    /// <summary>Documents that the tokenizer is trained on.</summary>
    public int TokenizerDocuments { get; init; } = 60_000;

    /// <summary>Documents that are only measured on.</summary>
    public int HeldOutDocuments { get; init; } = 512;

    /// <summary>Learning rate of the chapters; the last one falls from it to zero on a line.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Steps of linear warm-up of the first chapter.</summary>
    public int WarmupSteps { get; init; } = 60;

    /// <summary>Steps of warm-up of the others, whose optimizer starts without moments.</summary>
    public int ChapterWarmupSteps { get; init; } = 12;

    /// <summary>Decoupled decay of matrices.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Time between two saved states.</summary>
    public TimeSpan StateInterval { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Steps between two lines of the log.</summary>
    public int LogInterval { get; init; } = 10;

    /// <summary>Memory that the run may take; it bounds the micro-batches, and small ones stay in the caches.</summary>
    public long MemoryBytes { get; init; } = 600L << 20;

    /// <summary>Threads; 0 for all cores.</summary>
    public int Threads { get; init; }
}
