"""Small tokenizers with the settings of CLIP's, SigLIP's, SigLIP 2's and T5's, as transformers and tokenizers write them, and their ids.

python scripts/golden/tokenizer_ids.py > test/golden/files/tokenizers.json   (transformers 5.24, tokenizers 0.23)
"""
import json
import re
import string
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import CLIPTokenizer, T5Tokenizer
from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer

TEXTS = [
    "a photo of a cat", "A photo of the  dog!", "The cat, red? dogs", "  photo", "théâtre of cats 12", "zebra's", "日本 cat",
    "a\tcat\nred", "cat" * 9, "I'll say: it's o'clock", "fine, e\u0301a", "cat </s> red", "x",
]


def saved(tokenizer):
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        return json.load(open(f"{folder}/tokenizer.json"))


def clip():
    letters = {chr(c) for c in range(33, 127)} | {chr(c) for c in range(161, 324)}
    merges = [("c", "a"), ("ca", "t</w>"), ("p", "h"), ("ph", "o"), ("o", "f</w>"), ("'", "s</w>"), ("t", "h"), ("th", "e</w>"), ("r", "e")]
    words = sorted(letters) + [f"{c}</w>" for c in sorted(letters)] + ["".join(pair) for pair in merges]
    vocab = {word: i for i, word in enumerate([*dict.fromkeys(words), "<|startoftext|>", "<|endoftext|>"])}
    return saved(CLIPTokenizer(vocab=vocab, merges=merges))


def pieces():
    parts = [*"▁abcdefghijklmnopqrstuvwxyz", "▁a", "▁ph", "oto", "▁photo", "▁of", "of", "▁cat", "cat", "do", "▁dog", "red", "▁red"]
    return [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(p, -2.0 - 0.37 * (i % 7) - 1 / len(p)) for i, p in enumerate(parts)]


def t5():
    return saved(T5Tokenizer(vocab=pieces(), extra_ids=3))


def siglip():
    tokenizer = Tokenizer(models.Unigram(pieces(), unk_id=2))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Lowercase(), normalizers.Replace(Regex(f"[{re.escape(string.punctuation)}]"), ""),
        normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip(),
    ])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single=["$A", "</s>"], special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens([AddedToken("</s>", lstrip=True, rstrip=True), AddedToken("<unk>")])
    return json.loads(tokenizer.to_str())


def siglip2():
    merges = [("t", "h"), ("th", "e"), ("▁", "a"), ("▁", "the"), ("p", "h"), ("ph", "o"), ("▁", "▁"), ("c", "a"), ("ca", "t"), ("▁", "cat")]
    words = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<0x{b:02X}>" for b in range(256)), *map(chr, range(33, 127)), "▁"]
    vocab = {word: i for i, word in enumerate([*words, *("".join(pair) for pair in merges)])}
    tokenizer = Siglip2Tokenizer(vocab=vocab, merges=merges)
    tokenizer.backend_tokenizer.enable_padding(direction="left", length=64, pad_id=0, pad_token="<pad>")
    return saved(tokenizer)


found = []
for make in (clip, t5, siglip, siglip2):
    written = make()
    tokenizer = Tokenizer.from_str(json.dumps(written))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    found.append({"name": make.__name__, "json": written, "ids": [tokenizer.encode(text).ids for text in TEXTS]})
print(json.dumps({"texts": TEXTS, "tokenizers": found}, ensure_ascii=False))
