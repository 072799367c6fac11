"""Writes src/Anneal.Engine/Text/unicode.txt from the Unicode data of Python 3.6, which is Unicode 9.0.

    python3.6 tools/unicode/make_tables.py > src/Anneal.Engine/Text/unicode.txt

Ids of the `tokenizers` library depend on the age of the tables it links: normalization forms and combining marks are of
Unicode 9.0, the categories of the punctuation and BERT steps of Unicode 8.0. Newer data would give other ids.

Lines: `class N FIRST LAST` (canonical combining class of a range), `canonical X A B` (X decomposes into A and B and is
composed from them), `excluded X A [B]` (X decomposes but is never composed), `compatibility X A ...`, and the sets
`mark`, `punctuation`, `nonspacing`, `format` as `NAME FIRST LAST`. Code points are hexadecimal. Hangul syllables follow from
arithmetic and are left out.
"""
import sys
import unicodedata as u

assert u.unidata_version == "9.0.0", u.unidata_version

# Where Unicode 9.0 has punctuation, non-spacing marks and format characters that 8.0 has not (or not as such).
NEW_IN_9 = [(0x8D4, 0x8E2), (0x1885, 0x1886), (0x1DFB, 0x1DFB), (0x2E43, 0x2E44), (0xA8C5, 0xA8C5), (0x1123E, 0x1123E),
            (0x11400, 0x1147F), (0x11660, 0x1166C), (0x11C00, 0x11CBF), (0x1E000, 0x1E02A), (0x1E900, 0x1E95F)]


def runs(value):
    """Ranges of code points with the same value that is not falsy."""
    out = []
    for c in range(sys.maxunicode + 1):
        v = value(c)
        if v and out and out[-1][0] == v and out[-1][2] == c - 1:
            out[-1][2] = c
        elif v:
            out.append([v, c, c])
    return out


def old(category):
    return lambda c: u.category(chr(c)).startswith(category) and not any(a <= c <= b for a, b in NEW_IN_9)


print("# Unicode %s (categories: 8.0). From the Unicode Character Database, (c) Unicode, Inc.," % u.unidata_version)
print("# https://www.unicode.org/license.txt; written by tools/unicode/make_tables.py.")
for k, first, last in runs(lambda c: u.combining(chr(c))):
    print("class %d %X %X" % (k, first, last))
for name, test in [("mark", lambda c: u.category(chr(c))[0] == "M"), ("punctuation", old("P")), ("nonspacing", old("Mn")), ("format", old("Cf"))]:
    for _, first, last in runs(test):
        print("%s %X %X" % (name, first, last))
for c in range(sys.maxunicode + 1):
    d = u.decomposition(chr(c))
    if not d:
        continue
    parts = [int(x, 16) for x in d.split() if not x.startswith("<")]
    composes = len(parts) == 2 and u.normalize("NFC", "".join(map(chr, parts))) == chr(c)
    kind = "compatibility" if d.startswith("<") else "canonical" if composes else "excluded"
    print(kind, "%X" % c, *("%X" % x for x in parts))
