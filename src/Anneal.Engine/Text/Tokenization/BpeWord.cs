namespace Anneal.Engine.Text.Tokenization;

/// <summary>The symbols of one word while their neighbours are being merged. Reused on each thread; nothing is allocated per word.</summary>
internal sealed class BpeWord
{
    // Up to this length the next merge is found by looking at all; beyond it by a heap, or long words would cost their square.
    private const int ScanLengthMax = 24;

    [ThreadStatic]
    private static BpeWord? _shared;

    private readonly PriorityQueue<(int Position, int Id), long> _queue = new();
    private Symbol[] _symbols = new Symbol[64];
    private int _count;

    /// <summary>This thread's word, emptied.</summary>
    public static BpeWord Rent()
    {
        BpeWord word = _shared ??= new BpeWord();
        word._count = 0;
        return word;
    }

    /// <summary>Adds a symbol that covers some units of the word.</summary>
    public void Add(int id, int start, int end)
    {
        if (_count == _symbols.Length)
        {
            Array.Resize(ref _symbols, _count * 2);
        }

        _symbols[_count] = new Symbol { Id = id, Start = start, End = end, Previous = _count - 1, Next = _count + 1, Rank = int.MaxValue };
        _count++;
    }

    /// <summary>Merges until no two neighbours form a merge.</summary>
    public void Merge(Dictionary<long, (int Rank, int Id)> merges)
    {
        if (_count <= ScanLengthMax)
        {
            MergeByScan(merges);
        }
        else
        {
            MergeByHeap(merges);
        }
    }

    /// <summary>Adds what is left to the tokens.</summary>
    public void AddTo(TokenBuffer into)
    {
        for (int i = 0; i < _count; i = _symbols[i].Next)
        {
            into.Add(_symbols[i].Id, _symbols[i].Start, _symbols[i].End);
        }
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    private void MergeByScan(Dictionary<long, (int Rank, int Id)> merges)
    {
        for (int i = 0; i < _count; i++)
        {
            Refresh(i, merges);
        }

        while (true)
        {
            int best = -1;
            int rank = int.MaxValue;
            for (int i = 0; i < _count; i = _symbols[i].Next)
            {
                if (_symbols[i].Rank < rank)
                {
                    (best, rank) = (i, _symbols[i].Rank);
                }
            }

            if (best < 0)
            {
                return;
            }

            Join(best, _symbols[best].Merged);
            Refresh(best, merges);
            if (_symbols[best].Previous >= 0)
            {
                Refresh(_symbols[best].Previous, merges);
            }
        }
    }

    /// <summary>Notes what a symbol and the one after it would merge to, and with which rank.</summary>
    private void Refresh(int at, Dictionary<long, (int Rank, int Id)> merges)
    {
        ref Symbol symbol = ref _symbols[at];
        if (symbol.Next < _count && merges.TryGetValue(Key(symbol.Id, _symbols[symbol.Next].Id), out (int Rank, int Id) merge))
        {
            (symbol.Rank, symbol.Merged) = merge;
        }
        else
        {
            symbol.Rank = int.MaxValue;
        }
    }

    private void MergeByHeap(Dictionary<long, (int Rank, int Id)> merges)
    {
        _queue.Clear();
        for (int i = 0; i < _count; i++)
        {
            Enqueue(i, merges);
        }

        while (_queue.TryDequeue(out (int Position, int Id) top, out _))
        {
            ref Symbol symbol = ref _symbols[top.Position];

            // An entry whose symbols have changed since is out of date: the pair that is there now has its own entry.
            if (symbol.Gone || symbol.Next >= _count
                || !merges.TryGetValue(Key(symbol.Id, _symbols[symbol.Next].Id), out (int Rank, int Id) merge) || merge.Id != top.Id)
            {
                continue;
            }

            Join(top.Position, top.Id);
            Enqueue(top.Position, merges);
            if (symbol.Previous >= 0)
            {
                Enqueue(symbol.Previous, merges);
            }
        }
    }

    private void Enqueue(int at, Dictionary<long, (int Rank, int Id)> merges)
    {
        ref Symbol symbol = ref _symbols[at];
        if (symbol.Next < _count && merges.TryGetValue(Key(symbol.Id, _symbols[symbol.Next].Id), out (int Rank, int Id) merge))
        {
            _queue.Enqueue((at, merge.Id), ((long)merge.Rank << 32) | (uint)at);
        }
    }

    private void Join(int at, int id)
    {
        ref Symbol left = ref _symbols[at];
        ref Symbol right = ref _symbols[left.Next];
        left.Id = id;
        left.End = Math.Max(left.End, right.End);
        right.Gone = true;
        left.Next = right.Next;
        if (left.Next < _count)
        {
            _symbols[left.Next].Previous = at;
        }
    }

    private struct Symbol
    {
        public int Id;
        public int Start;
        public int End;
        public int Previous;
        public int Next;
        public int Rank;
        public int Merged;
        public bool Gone;
    }
}
