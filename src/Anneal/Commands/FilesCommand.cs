using System.CommandLine;
using Anneal.Cli.Terminal;
using Anneal.Client;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal files</c>: training and result files on the server.</summary>
internal static class FilesCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell) => Verb.Group(
        "files", "Training and result files on the server.",
        Upload(shell), List(shell), Retrieve(shell), Delete(shell), Content(shell));

    /// <summary>One file in words.</summary>
    public static void Describe(Shell shell, ApiFile file)
    {
        shell.Out.WriteLine($"{file.Id}  {file.Filename}  {file.Purpose}  {Format.Bytes(file.Bytes)}  {file.Status}");
        if (!string.IsNullOrEmpty(file.StatusDetails))
        {
            shell.Out.WriteLine($"  {file.StatusDetails}");
        }
    }

    private static Command Upload(Shell shell)
    {
        var path = new Argument<string>("path") { Description = "The file; training data is JSONL." };
        var purpose = new Option<string>("--purpose") { Description = "What it is for.", DefaultValueFactory = _ => "fine-tune" };
        Option<bool> json = Verb.Json();
        return Verb.Of("create", "Upload a file.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            ApiFile file = await client.Files.CreateAsync(
                parsed.GetRequiredValue(path), new FilePurpose(parsed.GetRequiredValue(purpose)), null, cancellation);
            Write(shell, file, parsed.GetValue(json));
            return Root.Done;
        }, path, purpose, json);
    }

    private static Command List(Shell shell)
    {
        var purpose = new Option<string?>("--purpose") { Description = "Only files for this." };
        Option<bool> json = Verb.Json();
        return Verb.Of("list", "List files, newest first.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            var listing = new Listing("id", "created", " size", "name");
            FilePurpose? only = parsed.GetValue(purpose) is string word ? new FilePurpose(word) : null;
            await foreach (ApiFile file in client.Files.ListAsync(only, null, cancellation))
            {
                if (parsed.GetValue(json))
                {
                    Verb.WriteJson(shell, file, ClientJson.Default.ApiFile);
                }
                else
                {
                    listing.Add(
                        file.Id, Format.Brief(file.CreatedAt, shell.Time), Format.Bytes(file.Bytes), file.Filename);
                }
            }

            if (!parsed.GetValue(json))
            {
                listing.Write(shell, $"No files. Upload one with: {shell.Command} files create FILE.jsonl");
            }

            return Root.Done;
        }, purpose, json);
    }

    private static Command Retrieve(Shell shell)
    {
        Argument<string> id = Id();
        Option<bool> json = Verb.Json();
        return Verb.Of("retrieve", "Show a file.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            Write(shell, await client.Files.RetrieveAsync(parsed.GetRequiredValue(id), cancellation), parsed.GetValue(json));
            return Root.Done;
        }, id, json);
    }

    private static Command Delete(Shell shell)
    {
        Argument<string> id = Id();
        Option<bool> json = Verb.Json();
        return Verb.Of("delete", "Delete a file.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            Deletion deletion = await client.Files.DeleteAsync(parsed.GetRequiredValue(id), cancellation);
            if (parsed.GetValue(json))
            {
                Verb.WriteJson(shell, deletion, ClientJson.Default.Deletion);
            }
            else
            {
                shell.Out.WriteLine($"{deletion.Id} is deleted.");
            }

            return Root.Done;
        }, id, json);
    }

    private static Command Content(Shell shell)
    {
        Argument<string> id = Id();
        var target = new Option<string?>("--out") { Description = "Write to this file instead of standard output." };
        return Verb.Of("content", "Print a file's content.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            await using Stream content = await client.Files.ContentAsync(parsed.GetRequiredValue(id), cancellation);
            if (parsed.GetValue(target) is string path)
            {
                await using FileStream file = File.Create(path);
                await content.CopyToAsync(file, cancellation);
                return Root.Done;
            }

            using var reader = new StreamReader(content);
            var buffer = new char[1 << 14];
            for (int read; (read = await reader.ReadAsync(buffer, cancellation)) > 0;)
            {
                await shell.Out.WriteAsync(buffer.AsMemory(0, read), cancellation);
            }

            return Root.Done;
        }, id, target);
    }

    private static Argument<string> Id() => new("file-id") { Description = "The file's id, file-…" };

    private static void Write(Shell shell, ApiFile file, bool json)
    {
        if (json)
        {
            Verb.WriteJson(shell, file, ClientJson.Default.ApiFile);
        }
        else
        {
            Describe(shell, file);
        }
    }
}
