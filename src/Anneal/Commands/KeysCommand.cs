using System.CommandLine;
using System.Text.Json.Nodes;
using Anneal.Cli.Terminal;
using Anneal.Jobs;
using Anneal.Jobs.Sqlite;
using Anneal.Server;
using Anneal.Server.Http;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal keys</c>: the API keys of a server on this machine, whether it runs or not.</summary>
internal static class KeysCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell) =>
        Verb.Group("keys", "API keys of a server on this machine.", Add(shell), List(shell), Revoke(shell));

    private static Command Add(Shell shell)
    {
        var name = new Argument<string>("name") { Description = "What to call it." };
        Option<string?> data = Data();
        Option<bool> json = Verb.Json();
        return Verb.Of("create", "Make a key and print it; it is not shown again.", shell, async (parsed, cancellation) =>
        {
            string folder = Folder(shell, parsed.GetValue(data));
            await using SqliteStore store = Open(shell, folder);
            var keys = new ApiKeys(store, new ServerOptions { DataFolder = folder, Time = shell.Time });
            (ApiKey key, string secret) = await keys.CreateAsync(parsed.GetRequiredValue(name), cancellation);
            shell.Out.WriteLine(parsed.GetValue(json)
                ? new JsonObject { ["id"] = key.Id, ["name"] = key.Name, ["api_key"] = secret }.ToJsonString()
                : secret);
            return Root.Done;
        }, name, data, json);
    }

    private static Command List(Shell shell)
    {
        Option<string?> data = Data();
        Option<bool> json = Verb.Json();
        return Verb.Of("list", "List keys, newest first.", shell, async (parsed, cancellation) =>
        {
            await using SqliteStore store = Open(shell, Folder(shell, parsed.GetValue(data)));
            var listing = new Listing("id", "created", "ends in", "state", "name");
            foreach (ApiKey key in await store.ListKeysAsync(cancellation))
            {
                if (parsed.GetValue(json))
                {
                    shell.Out.WriteLine(new JsonObject
                    {
                        ["id"] = key.Id,
                        ["name"] = key.Name,
                        ["ends_in"] = key.Tail,
                        ["created_at"] = key.CreatedAt.ToUnixTimeSeconds(),
                        ["revoked_at"] = key.RevokedAt?.ToUnixTimeSeconds(),
                    }.ToJsonString());
                }
                else
                {
                    listing.Add(
                        key.Id, Format.Brief(key.CreatedAt, shell.Time), "…" + key.Tail, key.RevokedAt is null ? "works" : "revoked", key.Name);
                }
            }

            if (!parsed.GetValue(json))
            {
                listing.Write(shell, "No keys. The server makes the first one when it starts.");
            }

            return Root.Done;
        }, data, json);
    }

    private static Command Revoke(Shell shell)
    {
        var id = new Argument<string>("key-id") { Description = "Its id, as the list shows it." };
        Option<string?> data = Data();
        return Verb.Of("delete", "Stop a key from working.", shell, async (parsed, cancellation) =>
        {
            await using SqliteStore store = Open(shell, Folder(shell, parsed.GetValue(data)));
            string key = parsed.GetRequiredValue(id);
            if (!await store.RevokeKeyAsync(key, cancellation))
            {
                throw new InvalidDataException($"There is no working key {key}.");
            }

            shell.Out.WriteLine($"{key} does not work any more.");
            return Root.Done;
        }, id, data);
    }

    private static Option<string?> Data() => ServeCommand.DataOption("The server's data folder; default ~/.anneal.");

    private static string Folder(Shell shell, string? given) => ServeCommand.DataFolder(shell, given);

    // A mistyped folder must not become a new, empty installation.
    private static SqliteStore Open(Shell shell, string folder)
    {
        string database = Path.Combine(folder, "anneal.db");
        return File.Exists(database)
            ? SqliteStore.Open(database, shell.Time)
            : throw new DirectoryNotFoundException($"{folder} is no data folder of a server: there is no {Path.GetFileName(database)} in it.");
    }
}
