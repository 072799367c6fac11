using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Methods;
using Anneal.Engine.Tensors;
using Anneal.Engine.Text;
using Anneal.Nano.Corpus;

namespace Anneal.Nano.Training;

/// <summary>
/// The recipe of anneal-nano: corpus, tokenizer, first weights, training of all weights by the engine's supervised loop in
/// chapters, export. Whatever an earlier call has finished is kept, and a chapter goes on from its last saved state. The
/// chapters have one constant learning rate, so that more of them can be added; the last one lets it fall to zero.
/// </summary>
internal static class Pretraining
{
    /// <summary>Runs what is left to do.</summary>
    /// <exception cref="OperationCanceledException">It was stopped; the next call goes on from the last saved state.</exception>
    public static void Run(PretrainingOptions options, TextWriter log, CancellationToken cancellationToken = default)
    {
        string folder = Path.Combine(options.Work, "chapter-0");
        using CpuCompute compute = new(new ComputeOptions { Threads = options.Threads });
        Prepare(folder, options, compute, log);
        CorpusStream corpus = new(Tokenizer.Load(Path.Combine(folder, "tokenizer.json")), options.Seed);
        TokenizedExample[] heldOut = [.. corpus.HeldOutAnswers(options.HeldOutDocuments)];
        for (int chapter = 1; chapter <= options.Chapters + 1; chapter++)
        {
            bool last = chapter > options.Chapters;
            string next = Path.Combine(options.Work, last ? $"last-after-{options.Chapters}" : $"chapter-{chapter}");
            if (!File.Exists(Path.Combine(next, Safetensors.SingleFile)))
            {
                int first = (chapter - 1) * options.ChapterDocuments;
                int count = last ? options.LastDocuments : options.ChapterDocuments;
                TokenizedExample[] train = [.. Enumerable.Range(first, count).Select(i => corpus.Example((ulong)i))];
                log.WriteLine($"chapter {chapter}: documents {first} to {first + count - 1}, {train.Sum(e => (long)e.Ids.Length)} tokens");
                Train(folder, next, train, heldOut, options, compute, chapter, log, cancellationToken);
            }
            folder = next;
        }
        using BaseModel finished = BaseModel.Load(folder);
        ModelFolder.Save(options.Out, finished, finished.Weight, DType.BF16, compute);
        log.WriteLine($"{options.Out} is ready");
    }

    private static void Train(
        string from, string to, TokenizedExample[] train, TokenizedExample[] heldOut, PretrainingOptions options,
        CpuCompute compute, int chapter, TextWriter log, CancellationToken cancellationToken)
    {
        using BaseModel model = BaseModel.Load(from);
        PretrainingObserver observer = new(options, chapter, to, log);
        SupervisedOptions how = new()
        {
            Epochs = 1,
            BatchSize = options.DocumentsPerStep,
            LearningRate = options.LearningRate,
            Schedule = chapter > options.Chapters ? ScheduleKind.Linear : ScheduleKind.Constant,
            WarmupSteps = chapter == 1 ? options.WarmupSteps : options.ChapterWarmupSteps,
            WeightDecay = options.WeightDecay,
            ClipNorm = 1,
            Beta2 = 0.95,
            Seed = options.Seed + (ulong)chapter,
            MemoryBytes = options.MemoryBytes,
        };
        Supervised.Run(model, compute, train, heldOut, how, observer, observer.StatePath, cancellationToken);
    }

    /// <summary>Tokenizer, configuration and first weights, in F32.</summary>
    private static void Prepare(string folder, PretrainingOptions options, CpuCompute compute, TextWriter log)
    {
        string weights = Path.Combine(folder, Safetensors.SingleFile);
        if (File.Exists(weights))
        {
            return;
        }
        log.WriteLine($"training the tokenizer on {options.TokenizerDocuments} documents");
        BpeTrainer trainer = new();
        for (int i = 0; i < options.TokenizerDocuments; i++)
        {
            foreach (Turn turn in Composer.Make(options.Seed, (ulong)i).Turns)
            {
                trainer.Add(turn.Role + "\n");
                trainer.Add(turn.Content);
            }
        }
        TokenizerFiles.Write(
            folder, trainer.Train(NanoModel.VocabularySize - 256 - TokenizerFiles.Special.Length),
                NanoModel.ContextLength);
        TokenizerFiles.Save(folder, "config.json", NanoModel.Config());
        TokenizerFiles.Save(folder, "generation_config.json", NanoModel.GenerationConfig());

        DecoderConfig config = ArchitectureCatalog.Load(folder);
        WeightSpec[] specs = [.. config.Weights()];
        using Arena arena = compute.CreateArena(specs.Sum(w => Arena.BytesFor(w.Rows, w.Columns, DType.F32)));
        List<SafetensorsItem> items = [];
        foreach (WeightSpec spec in specs)
        {
            Tensor tensor = arena.Allocate(spec.Rows, spec.Columns);
            NanoModel.Initialize(tensor.AsSpan<float>(), spec, options.Seed, (ulong)items.Count);
            items.Add(new SafetensorsItem(spec.Name, tensor, DType.F32, spec.IsVector));
        }
        SafetensorsWriter.Write(weights, compute, items);
    }
}
