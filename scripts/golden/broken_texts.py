"""
Texts that went through wrong encodings, and what OpenAI's tokenizer makes of them before it splits them: ftfy 6.3's fix_text, html.unescape twice, white space.
The words are made up of ours. Run with ftfy 6.3: python scripts/golden/broken_texts.py test/golden/files/broken-texts.json
"""
import html
import json
import random
import re
import sys

import ftfy
import ftfy.bad_codecs

random.seed(7)
words = (
    "a photo of a schöne Straße; voilà l'été; à la mode; où ça; naïve façade; jalapeño piñata; smørbrød på bordet; żółty ślimak; malý žlutý kůň; "
    "güneş ışığı; Ελληνικά γράμματα; красная машина; два кота; 猫と犬; 한국어; ไทย; مرحبا; שלום; हिन्दी; “quoted” ‘single’; dash – and — dash; price €5 £7; 20 °C ± 2 µm; "
    "½ × ¾ ÷ 3; © 2021 ® ™; emoji 😀👍🏽; ellipsis… bullet •; ﬁne ﬂower; fullwidth ＡＢＣ; São João às vezes; fàcil; crème brûlée; Ångström; "
    "Ô ô; ÿ; “„«»”; ─│┌ ▀▄; a\u0301 combining e\u0308; \ufeffmark; non\u00a0break; soft\u00adhyphen"
).split("; ")
encodings = ["latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250", "sloppy-windows-1253", "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman", "cp437"]


def broken(text, encoding):
    return text.encode("utf-8").decode(encoding, "replace")


def clean(text):
    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return re.sub(r"\s+", " ", text).strip()


def nested(char, depth):
    text = html.escape(char) if char in "&<>" else f"&#{ord(char)};"
    for _ in range(depth):
        text = text.replace("&", "&amp;")
    return text


texts = list(words)
for word in words:
    for encoding in encodings:
        texts.append(broken(word, encoding))
    for encoding in encodings[:3]:
        texts.append(broken(broken(word, encoding), encodings[random.randrange(2)]))
    one = broken(word, "sloppy-windows-1252")
    texts.append(one.replace("\xa0", " "))
    texts.append(re.sub("[\x80-\x9f]", "\ufffd", one))
    texts.append(re.sub("[\x80-\x9f]", "?", broken(word, "latin-1"), count=1))
    texts.append(f"日本 {one} and {random.choice(words)}")
    texts.append(f"{random.choice(words)}: {one}, {broken(random.choice(words), 'latin-1')}")
    texts.append(word.encode("windows-1252", "replace").decode("latin-1"))
    texts.append(one.encode("utf-16le").decode("utf-16le") + "\n" + random.choice(words))
    for depth in range(4):
        texts.append(f"{word[:8]} {nested(random.choice(list('&<>é“™😀' + word[0])), depth)} x")
texts += ["Ã la carte", "voilÃ le travail", "Ã quele", "Ã s vezes", "sÃ³", "l\u00e2\u20ac\u2122\u00e9t\u00e9", "a\u0303 A\u0303\u00a9", "Ã©Ã ÃÂ©", "\xc0\x80".encode().decode("latin-1"), "&amp;amp;amp;eacute;", "&ATILDE;&SUP3;", "<b>&amp;amp;</b>", "&lt;b&gt; &amp;amp;eacute;", "&#x80;&#133;&#xD800;&#0;&#x110000;", "&amp\n&ltb", "\U0001f600".encode("utf-16-be", "surrogatepass").hex(), "".join(chr(b) for b in "😀".encode("utf-16-be", "surrogatepass"))]
cesu = "".join(chr(b) for unit in ("\ud83d", "\ude00") for b in unit.encode("utf-8", "surrogatepass"))
texts += [cesu, f"a {cesu} b Ã©"]
for _ in range(150):
    parts = [random.choice(texts[: len(words) * 11]) for _ in range(2)]
    texts.append("".join(random.choice([" ", "", "\n", " &amp; "]).join(parts)))
texts = [t for t in dict.fromkeys(texts) if not re.search("[\ud800-\udfff]", t)]
json.dump([[t, clean(t)] for t in texts], open(sys.argv[1], "w"), ensure_ascii=True, indent=0)
print(len(texts), sum(t != clean(t) for t in texts))
