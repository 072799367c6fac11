namespace Anneal.Engine.Text.Jinja;

/// <content>Expressions, from the loosest binding to the tightest.</content>
internal sealed partial class Parser
{
    private Expression ParseExpression(bool withCondition = true)
    {
        CheckDepth();
        return withCondition ? ParseCondition() : ParseOr();
    }

    private Expression ParseCondition()
    {
        Expression value = ParseOr();
        while (Current.Is(TokenKind.Name, "if"))
        {
            int line = Next().Line;
            Expression test = ParseOr();
            Expression? otherwise = SkipName("else") ? ParseExpression() : null;
            value = new ConditionalExpression(test, value, otherwise, line);
        }

        return value;
    }

    private Expression ParseOr()
    {
        Expression left = ParseAnd();
        while (Current.Is(TokenKind.Name, "or"))
        {
            int line = Next().Line;
            left = new LogicExpression(false, left, ParseAnd(), line);
        }

        return left;
    }

    private Expression ParseAnd()
    {
        Expression left = ParseNot();
        while (Current.Is(TokenKind.Name, "and"))
        {
            int line = Next().Line;
            left = new LogicExpression(true, left, ParseNot(), line);
        }

        return left;
    }

    private Expression ParseNot()
    {
        if (!Current.Is(TokenKind.Name, "not"))
        {
            return ParseComparison();
        }

        CheckDepth();
        int line = Next().Line;
        return new NotExpression(ParseNot(), line);
    }

    private Expression ParseComparison()
    {
        int line = Current.Line;
        Expression first = ParseSum();
        List<(string, Expression)> rest = [];
        while (ComparisonSign() is string sign)
        {
            _at += sign == "not in" ? 2 : 1;
            rest.Add((sign, ParseSum()));
        }

        return rest.Count == 0 ? first : new CompareExpression(first, rest, line);
    }

    private string? ComparisonSign() => Current switch
    {
        { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" } => Current.Text,
        { Kind: TokenKind.Name, Text: "in" } => "in",
        { Kind: TokenKind.Name, Text: "not" } when _tokens[_at + 1].Is(TokenKind.Name, "in") => "not in",
        _ => null,
    };

    private Expression ParseSum() => ParseBinary(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation()
    {
        int line = Current.Line;
        List<Expression> parts = [ParseProduct()];
        while (SkipOperator("~"))
        {
            parts.Add(ParseProduct());
        }

        return parts.Count == 1 ? parts[0] : new ConcatExpression(parts, line);
    }

    private Expression ParseProduct() => ParseBinary(ParsePower, "*", "/", "//", "%");

    // Powers bind from left to right here, and weaker than a sign: -2 ** 2 is 4.
    private Expression ParsePower() => ParseBinary(() => ParseUnary(withFilters: true), "**");

    private Expression ParseBinary(Func<Expression> operand, params ReadOnlySpan<string> signs)
    {
        Expression left = operand();
        while (Current.Kind == TokenKind.Operator && signs.Contains(Current.Text))
        {
            Token sign = Next();
            left = new BinaryExpression(sign.Text, left, operand(), sign.Line);
        }

        return left;
    }

    private Expression ParseUnary(bool withFilters)
    {
        CheckDepth();
        Token token = Current;
        Expression value;
        if (SkipOperator("-") || SkipOperator("+"))
        {
            value = new UnaryExpression(token.Text[0], ParseUnary(withFilters: false), token.Line);
        }
        else
        {
            value = ParsePrimary(withNamespace: false);
        }

        value = ParsePostfix(value);
        return withFilters ? ParseFiltersAndTests(value) : value;
    }

    private Expression ParsePrimary(bool withNamespace)
    {
        Token token = Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                Next();
                return ParseName(token, withNamespace);
            case TokenKind.String:
                return ParseStrings();
            case TokenKind.Integer or TokenKind.Float:
                Next();
                return new Constant(token.Value, token.Line);
            case TokenKind.Operator when token.Text == "(":
                Next();
                Expression inner = ParseTuple(inParentheses: true);
                ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                return ParseList();
            case TokenKind.Operator when token.Text == "{":
                return ParseDict();
            default:
                throw Fail($"unexpected '{token.Describe()}'");
        }
    }

    private Expression ParseName(Token token, bool withNamespace)
    {
        switch (token.Text)
        {
            case "true" or "True": return new Constant(true, token.Line);
            case "false" or "False": return new Constant(false, token.Line);
            case "none" or "None": return new Constant(null, token.Line);
        }

        return withNamespace && SkipOperator(".")
            ? new NamespaceTarget(token.Text, Expect(TokenKind.Name).Text, token.Line)
            : new Name(token.Text, token.Line);
    }

    // Neighbouring string literals are one.
    private Constant ParseStrings()
    {
        int line = Current.Line;
        List<string> parts = [];
        while (Current.Kind == TokenKind.String)
        {
            parts.Add(Next().Text);
        }

        return new Constant(string.Concat(parts), line);
    }

    // An expression, or a tuple if there are commas. Empty only in parentheses.
    private Expression ParseTuple(
        bool simple = false, bool withCondition = true, string? endName = null, bool inParentheses = false, bool withNamespace = false)
    {
        CheckDepth();
        int line = Current.Line;
        List<Expression> items = [];
        bool isTuple = false;
        while (!AtTupleEnd(endName))
        {
            items.Add(simple ? ParsePrimary(withNamespace) : ParseExpression(withCondition));
            if (!Current.Is(TokenKind.Operator, ","))
            {
                break;
            }

            isTuple = true;
            Next();
        }

        if (isTuple || items.Count == 1)
        {
            return isTuple ? new TupleLiteral(items, line) : items[0];
        }

        return inParentheses
            ? new TupleLiteral([], line)
            : throw Fail($"Expected an expression, got '{Current.Describe()}'");
    }

    private bool AtTupleEnd(string? endName) =>
        Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd || Current.Is(TokenKind.Operator, ")")
        || (endName is not null && Current.Is(TokenKind.Name, endName));

    private ListLiteral ParseList()
    {
        int line = Next().Line;
        List<Expression> items = [];
        while (!Current.Is(TokenKind.Operator, "]"))
        {
            if (items.Count > 0)
            {
                ExpectOperator(",");
                if (Current.Is(TokenKind.Operator, "]"))
                {
                    break;
                }
            }

            items.Add(ParseExpression());
        }

        ExpectOperator("]");
        return new ListLiteral(items, line);
    }

    private DictLiteral ParseDict()
    {
        int line = Next().Line;
        List<(Expression, Expression)> entries = [];
        while (!Current.Is(TokenKind.Operator, "}"))
        {
            if (entries.Count > 0)
            {
                ExpectOperator(",");
                if (Current.Is(TokenKind.Operator, "}"))
                {
                    break;
                }
            }

            Expression key = ParseExpression();
            ExpectOperator(":");
            entries.Add((key, ParseExpression()));
        }

        ExpectOperator("}");
        return new DictLiteral(entries, line);
    }

    private Expression ParsePostfix(Expression value)
    {
        while (Current.Kind == TokenKind.Operator && Current.Text is "." or "[" or "(")
        {
            int line = Current.Line;
            value = Current.Text switch
            {
                "." => ParseAttribute(value),
                "[" => ParseIndex(value),
                _ => new CallExpression(value, ParseArguments(), line),
            };
        }

        return value;
    }

    private Expression ParseFiltersAndTests(Expression value)
    {
        while (true)
        {
            if (Current.Is(TokenKind.Operator, "|"))
            {
                value = ParseFilters(value)!;
            }
            else if (Current.Is(TokenKind.Name, "is"))
            {
                value = ParseTest(value);
            }
            else if (Current.Is(TokenKind.Operator, "("))
            {
                int line = Current.Line;
                value = new CallExpression(value, ParseArguments(), line);
            }
            else
            {
                return value;
            }
        }
    }

    private Expression ParseAttribute(Expression target)
    {
        int line = Next().Line;
        Token name = Next();
        return name.Kind switch
        {
            TokenKind.Name => new AttributeAccess(target, name.Text, line),
            TokenKind.Integer => new ItemAccess(target, new Constant(name.Value, name.Line), line),
            _ => throw new TemplateSyntaxException("expected name or number", name.Line),
        };
    }

    private ItemAccess ParseIndex(Expression target)
    {
        int line = Next().Line;
        List<Expression> indices = [];
        while (!Current.Is(TokenKind.Operator, "]"))
        {
            if (indices.Count > 0)
            {
                ExpectOperator(",");
            }

            indices.Add(ParseSlice());
        }

        ExpectOperator("]");
        return new ItemAccess(target, indices.Count == 1 ? indices[0] : new TupleLiteral(indices, line), line);
    }

    private Expression ParseSlice()
    {
        int line = Current.Line;
        Expression? start = Current.Is(TokenKind.Operator, ":") ? null : ParseExpression();
        if (!SkipOperator(":"))
        {
            return start!;
        }

        Expression? stop = AtSliceEnd() ? null : ParseExpression();
        Expression? step = SkipOperator(":") && !AtSliceEnd() ? ParseExpression() : null;
        return new SliceLiteral(start, stop, step, line);
    }

    private bool AtSliceEnd() => Current.Kind == TokenKind.Operator && Current.Text is ":" or "]" or ",";

    private CallArguments ParseArguments()
    {
        int line = Current.Line;
        ExpectOperator("(");
        List<Expression> positional = [];
        List<(string, Expression)> named = [];
        Expression? more = null;
        Expression? moreNamed = null;
        bool first = true;
        while (!Current.Is(TokenKind.Operator, ")"))
        {
            if (!first)
            {
                ExpectOperator(",");
                if (Current.Is(TokenKind.Operator, ")"))
                {
                    break;
                }
            }

            first = false;
            if (SkipOperator("*"))
            {
                Require(more is null && moreNamed is null, line);
                more = ParseExpression();
            }
            else if (SkipOperator("**"))
            {
                Require(moreNamed is null, line);
                moreNamed = ParseExpression();
            }
            else if (Current.Kind == TokenKind.Name && _tokens[_at + 1].Is(TokenKind.Operator, "="))
            {
                Require(moreNamed is null, line);
                string name = Next().Text;
                Next();
                Require(!named.Exists(n => n.Item1 == name), line);
                named.Add((name, ParseExpression()));
            }
            else
            {
                Require(more is null && moreNamed is null && named.Count == 0, line);
                positional.Add(ParseExpression());
            }
        }

        ExpectOperator(")");
        return new CallArguments(positional, named, more, moreNamed);
    }

    private static void Require(bool condition, int line)
    {
        if (!condition)
        {
            throw new TemplateSyntaxException("invalid syntax for function call expression", line);
        }
    }

    private Expression? ParseFilters(Expression? value)
    {
        while (SkipOperator("|"))
        {
            value = ParseFilter(value);
        }

        return value;
    }

    private FilterExpression ParseFilter(Expression? value)
    {
        int line = Current.Line;
        string name = ParseDottedName();
        CallArguments arguments = Current.Is(TokenKind.Operator, "(") ? ParseArguments() : CallArguments.None;
        return new FilterExpression(value, name, arguments, line);
    }

    private Expression ParseTest(Expression value)
    {
        int line = Next().Line;
        bool negated = SkipName("not");
        string name = ParseDottedName();
        CallArguments arguments = CallArguments.None;
        if (Current.Is(TokenKind.Operator, "("))
        {
            arguments = ParseArguments();
        }
        else if (StartsTestArgument())
        {
            if (Current.Is(TokenKind.Name, "is"))
            {
                throw Fail("You cannot chain multiple tests with is");
            }

            arguments = new CallArguments([ParsePostfix(ParsePrimary(withNamespace: false))], [], null, null);
        }

        TestExpression test = new(value, name, arguments, line);
        return negated ? new NotExpression(test, line) : test;
    }

    private bool StartsTestArgument() => Current.Kind switch
    {
        TokenKind.Name => Current.Text is not ("else" or "or" or "and"),
        TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
        TokenKind.Operator => Current.Text is "[" or "{",
        _ => false,
    };

    private string ParseDottedName()
    {
        string name = Expect(TokenKind.Name).Text;
        while (SkipOperator("."))
        {
            name += "." + Expect(TokenKind.Name).Text;
        }

        return name;
    }

    private Expression ParseTarget(string? endName = null, bool withNamespace = false) =>
        AsTarget(ParseTuple(simple: true, endName: endName, withNamespace: withNamespace));

    private Name ParseNameTarget()
    {
        Token token = Expect(TokenKind.Name);
        return (Name)AsTarget(ParseName(token, withNamespace: false));
    }

    private static Expression AsTarget(Expression expression) => expression switch
    {
        Name name => new Name(name.Id, name.Line) { IsTarget = true },
        TupleLiteral tuple => new TupleLiteral([.. tuple.Items.Select(AsTarget)], tuple.Line),
        NamespaceTarget target => target,
        _ => throw new TemplateSyntaxException($"can't assign to '{KindOf(expression)}'", expression.Line),
    };

    private static string KindOf(Expression expression) => expression switch
    {
        Constant => "const",
        ListLiteral => "list",
        DictLiteral => "dict",
        _ => "expression",
    };
}
