using System.Text.Json;
using System.Text.Json.Serialization;

namespace Anneal.Client;

/// <summary>Reads and writes a value that is a word on the wire; words that this version does not know are kept.</summary>
internal abstract class OpenValueConverter<T>(Func<string, T> make, Func<T, string> word) : JsonConverter<T>
    where T : struct
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String
            ? make(reader.GetString()!)
            : throw new JsonException($"A word was expected, not {reader.TokenType}.");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(word(value));
}

/// <summary>A number of seconds since 1970 on the wire.</summary>
internal sealed class UnixTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        DateTimeOffset.FromUnixTimeSeconds(reader.TryGetInt64(out long seconds) ? seconds : (long)reader.GetDouble());

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.ToUnixTimeSeconds());
}

/// <summary>A hyperparameter: a number, or <c>auto</c> while or because the service chooses it.</summary>
/// <typeparam name="T">Type of the number.</typeparam>
/// <param name="Value">The number; null for auto.</param>
public readonly record struct AutoOr<T>(T? Value)
    where T : struct
{
    /// <summary>The service chooses.</summary>
    public static AutoOr<T> Auto => default;

    /// <summary>True while the service has not chosen or is asked to choose.</summary>
    public bool IsAuto => Value is null;

    /// <summary>A given number.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator AutoOr<T>(T value) => new(value);

    /// <summary>A given number.</summary>
    /// <param name="value">The number.</param>
    public static AutoOr<T> ToAutoOr(T value) => new(value);

    /// <summary>The number, or <c>auto</c>.</summary>
    public override string ToString() => Value is T value ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value}") : "auto";
}

internal sealed class AutoOrIntConverter : JsonConverter<AutoOr<int>>
{
    public override AutoOr<int> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number ? (int)reader.GetDouble() : AutoOr<int>.Auto;

    public override void Write(Utf8JsonWriter writer, AutoOr<int> value, JsonSerializerOptions options)
    {
        if (value.Value is int number)
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteStringValue("auto");
        }
    }
}

internal sealed class AutoOrDoubleConverter : JsonConverter<AutoOr<double>>
{
    public override AutoOr<double> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number ? reader.GetDouble() : AutoOr<double>.Auto;

    public override void Write(Utf8JsonWriter writer, AutoOr<double> value, JsonSerializerOptions options)
    {
        if (value.Value is double number)
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteStringValue("auto");
        }
    }
}
