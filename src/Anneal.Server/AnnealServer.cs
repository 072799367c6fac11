using System.Net;
using Anneal.Jobs;
using Anneal.Jobs.Blobs;
using Anneal.Jobs.Sqlite;
using Anneal.Server.Chat;
using Anneal.Server.Files;
using Anneal.Server.Http;
using Anneal.Server.Jobs;
using Anneal.Server.Models;
using Anneal.Server.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Anneal.Server;

/// <summary>Puts the server together. This file is its table of contents: one paragraph a concern, then one line an area.</summary>
public static class AnnealServer
{
    /// <summary>
    /// Builds the server. Start it with <c>StartAsync</c> or <c>RunAsync</c>; dispose it to close the database.
    /// Afterwards <see cref="Url"/> tells where it listens and <see cref="ApiKeys.CreatedKey"/> (a service) whether a key was made.
    /// </summary>
    /// <exception cref="InvalidDataException">The data folder or a model folder holds something unusable.</exception>
    /// <exception cref="DirectoryNotFoundException">A model folder does not exist.</exception>
    public static WebApplication Build(ServerOptions options) => Build(options, replace: null);

    /// <inheritdoc cref="Build(ServerOptions)"/>
    /// <param name="options">The settings.</param>
    /// <param name="replace">Puts other services in the place of the server's own; for tests.</param>
    internal static WebApplication Build(ServerOptions options, Action<IServiceCollection>? replace)
    {
        // Nothing from the environment or from files in the current folder: the options are the only settings.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "anneal" });

        // Logs go to standard error, because standard output belongs to the commands.
        builder.Logging.SetMinimumLevel(options.LogLevel);
        // A start that fails is thrown to the caller, who tells the user in one line; the host would print it a second time.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);

        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestLimits.BodyBytesMax;
            kestrel.Limits.MaxRequestHeadersTotalSize = RequestLimits.HeaderBytesMax;
            kestrel.Listen(IPAddress.Parse(options.BindAddress), options.Port);
        });
        builder.Services.AddRoutingCore();
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);

        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(options.Time);
        AddStores(builder.Services, options);
        builder.Services.AddSingleton<Installation>();
        builder.Services.AddSingleton(services => new ApiKeys(services.GetRequiredService<JobStore>(), options));
        builder.Services.AddSingleton<JobAnswers>();
        builder.Services.AddSingleton<IChatModels, ChatModels>();
        builder.Services.AddHostedService<ServerStartup>();
        builder.Services.AddRuns(options);
        replace?.Invoke(builder.Services);

        WebApplication app = builder.Build();
        OpenStores(app, options);

        app.UseMiddleware<ResponseHeaders>();
        app.UseMiddleware<ApiErrorHandler>();
        app.UseRouting();
        app.UseMiddleware<KeyRequired>();

        app.MapFiles();
        app.MapJobs();
        app.MapModels();
        app.MapChat();
        app.MapRuns();
        return app;
    }

    /// <summary>Where a started server listens, for example <c>http://127.0.0.1:8642</c>; no slash at the end.</summary>
    public static string Url(WebApplication app)
    {
        ICollection<string>? addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses;
        return addresses?.FirstOrDefault() ?? throw new InvalidOperationException("The server has not started yet.");
    }

    /// <summary>Made by factories, so that the container owns and disposes them.</summary>
    private static void AddStores(IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(_ => ModelFolders.Open(options.ModelFolders, options.BundledModel));
        services.AddSingleton<JobStore>(_ => SqliteStore.Open(Path.Combine(options.DataFolder, "anneal.db"), options.Time));
        services.AddSingleton<IBlobStore>(_ => new LocalBlobs(options.DataFolder));
    }

    /// <summary>Opens what the server stands on now rather than at the first request, so that a bad setting stops the start.</summary>
    private static void OpenStores(WebApplication app, ServerOptions options)
    {
        Directory.CreateDirectory(options.DataFolder);
        app.Services.GetRequiredService<ModelFolders>();
        app.Services.GetRequiredService<JobStore>();
        app.Services.GetRequiredService<IBlobStore>();
    }
}
