using System.Reflection;
using Anneal.Api.Tests.Cli;
using Anneal.Client;

namespace Anneal.Api.Tests.Client;

public sealed class PublicApiTests
{
    /// <summary>A change of what users compile against must be seen in a review: the file lies beside the sources.</summary>
    [Fact]
    public void The_public_surface_is_what_PublicApi_txt_says()
    {
        string path = Path.Combine(HelpTests.Root_(), "src/Anneal.Client/PublicApi.txt");
        string text = string.Join('\n', typeof(AnnealClient).Assembly.GetExportedTypes()
            .OrderBy(type => type.FullName, StringComparer.Ordinal).SelectMany(Lines)) + "\n";
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }

    private static IEnumerable<string> Lines(Type type)
    {
        yield return $"{Kind(type)} {Name(type)}";
        const BindingFlags All = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        IEnumerable<string> members = type.GetMembers(All)
            .Where(member => member is not MethodInfo { IsSpecialName: true, Name: not "op_Implicit" } && !Generated(type, member))
            .Select(Member);
        foreach (string member in members.Order(StringComparer.Ordinal))
        {
            yield return "    " + member;
        }
    }

    // What records and enumerators bring along by themselves.
    private static bool Generated(Type type, MemberInfo member) =>
        member.Name is "Equals" or "GetHashCode" or "ToString" or "<Clone>$" or "Deconstruct" or "GetType"
        || (member is ConstructorInfo constructor && constructor.GetParameters() is [{ } only] && only.ParameterType == type);

    private static string Kind(Type type) => type.IsValueType ? "struct" : type.IsInterface ? "interface" : "class";

    private static string Member(MemberInfo member) => member switch
    {
        PropertyInfo property => $"{(property.GetMethod!.IsStatic ? "static " : "")}{Name(property.PropertyType)} {property.Name}"
            + $" {{ get;{(property.SetMethod is { IsPublic: true } ? " init;" : "")} }}",
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        MethodInfo method => $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        _ => member.ToString()!,
    };

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters()
        .Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "null") : "")}"));

    private static string Name(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is Type inner)
        {
            return Name(inner) + "?";
        }

        string name = type.Name.Split('`')[0];
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }
}
