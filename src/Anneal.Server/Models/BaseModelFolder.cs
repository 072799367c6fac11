namespace Anneal.Server.Models;

/// <summary>A base model that this server can tune and call.</summary>
/// <param name="Id">Its public id: the folder's name, without slash or colon.</param>
/// <param name="Folder">Full path of the folder in Hugging Face layout.</param>
/// <param name="Created">When its weights were put there.</param>
public sealed record BaseModelFolder(string Id, string Folder, DateTimeOffset Created);
