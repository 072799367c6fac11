using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Anneal.Jobs.Sqlite;

/// <summary>
/// Chooses the native SQLite: the system's library when it is there and recent enough, because the distribution patches it;
/// otherwise the one that ships with this program.
/// </summary>
internal static class SqliteNative
{
    /// <summary>3.35: the first with RETURNING.</summary>
    private const int VersionMin = 3_035_000;

    private static readonly Lazy<bool> Done = new(() =>
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        raw.FreezeProvider();
        return true;
    });

    private delegate int VersionNumber();

    /// <summary>Prepares the provider; to be called before the first connection. Any number of calls do the work once.</summary>
    public static void Initialize() => _ = Done.Value;

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? path)
    {
        if (library != "e_sqlite3")
        {
            return 0;
        }

        string system = OperatingSystem.IsMacOS() ? "libsqlite3.dylib" : "libsqlite3.so.0";
        if (!OperatingSystem.IsWindows() && NativeLibrary.TryLoad(system, out nint handle))
        {
            if (NativeLibrary.TryGetExport(handle, "sqlite3_libversion_number", out nint entry)
                && Marshal.GetDelegateForFunctionPointer<VersionNumber>(entry)() >= VersionMin)
            {
                return handle;
            }

            NativeLibrary.Free(handle);
        }

        // Zero lets the runtime find the bundled library.
        return 0;
    }
}
