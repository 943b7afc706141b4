"""
Writes src/clip/mojibake-patterns.ts: what ftfy 6.3 (Apache-2.0) knows of UTF-8 that was read as another encoding. Its regular expressions are written out from its
categories of characters, its encodings as strings.
Run with ftfy 6.3: python scripts/golden/mojibake_patterns.py src/clip/mojibake-patterns.ts
"""
import sys
import unicodedata

import ftfy
from ftfy import badness, chardata

PYTHON_SPACE = r"[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"


def literal(char):
    """As it stands in a regular expression or a string of JavaScript."""
    code = ord(char)
    if code < 0x80 or (unicodedata.category(char)[0] in "LNPS" and char != "\ufffd" and code < 0xE000):
        return char
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def javascript(pattern, verbose):
    """A Python pattern without the blanks and comments of its verbose form; \\w, \\s and . as Python means them."""
    out, at, inside = [], 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            escape = pattern[at : at + (4 if pattern[at + 1] == "x" else 6 if pattern[at + 1] == "u" else 2)]
            out.append({r"\w": r"[\p{L}\p{N}_]", r"\s": PYTHON_SPACE}.get(escape, escape))
            at += len(escape)
            continue
        if inside:
            inside = char != "]"
        elif char == "[":
            inside = True
        elif verbose and char == "#":
            at = pattern.index("\n", at)
            continue
        elif verbose and char.isspace():
            at += 1
            continue
        elif char == ".":
            char = r"[^\n]"
        out.append(char if char == r"[^\n]" else literal(char))
        at += 1
    return "".join(out).strip("|")


def table(encoding):
    """What bytes 128 to 255 stand for."""
    return "".join(literal(char) for char in bytes(range(0x80, 0x100)).decode(encoding)).replace('"', '\\"')


encodings = "\n".join(f'  "{name}": "{table(name)}",' for name in chardata.CHARMAP_ENCODINGS[1:])
open(sys.argv[1], "w").write(f"""/**
 * Made by scripts/golden/mojibake_patterns.py from ftfy {ftfy.__version__} (Copyright 2023 Robyn Speer, Apache-2.0): characters that stand beside each other in UTF-8 that was
 * read as another encoding and hardly in any text that was meant, and the encodings.
 */
// biome-ignore-all lint/suspicious/noControlCharactersInRegex: generated

/** Something in the text looks like mojibake. */
export const badness = /{javascript(badness.BADNESS_RE.pattern, True)}/u;

/** Parts that may be UTF-8 read as another encoding within a text that is not. */
export const embedded = /{javascript(chardata.UTF8_DETECTOR_RE.pattern, True)}/gu;

/** What bytes 128 to 255 stand for, in the order in which they are tried after Latin-1. */
export const encodings: Readonly<Record<string, string>> = {{
{encodings}
}};
""")
