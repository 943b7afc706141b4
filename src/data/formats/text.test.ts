import { describe, expect, it } from "vitest";
import { decodeText, type Encoding, textParts } from "./text.ts";

const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();
const text = "caf\u00e9, \u65e5\u672c \ud83d\ude00\r\nth\u00e9\n";

/** In chunks of so many bytes. */
async function inParts(bytes: Uint8Array, size: number, encoding?: Encoding): Promise<string> {
  const chunks = (async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  })();
  let text = "";
  for await (const part of textParts(chunks, "t.csv", encoding)) text += part;
  return text;
}

describe.each<[string, Uint8Array, Encoding | undefined]>([
  ["UTF-8", Buffer.from(text), undefined],
  ["UTF-8 with a mark", Buffer.from(`\ufeff${text}`), undefined],
  ["UTF-16 with a mark", Buffer.from(`\ufeff${text}`, "utf16le"), undefined],
  ["UTF-16, big end first, with a mark", utf16be(`\ufeff${text}`), undefined],
  ["UTF-16 with a mark, said to be UTF-8", Buffer.from(`\ufeff${text}`, "utf16le"), "utf-8"],
  ["UTF-16 as said", Buffer.from(text, "utf16le"), "utf-16le"],
  ["UTF-16, big end first, as said", utf16be(text), "utf-16be"],
])("%s", (_, bytes, encoding) => {
  it("whole and in parts of any size", async () => {
    expect(decodeText(bytes, "t.csv", encoding)).toBe(text);
    for (const size of [1, 2, 3, 5, 7, 1000]) expect(await inParts(bytes, size, encoding)).toBe(text);
  });
});

it("Latin-1 and Windows-1252 differ from 128 to 159", () => {
  const bytes = Uint8Array.of(0x63, 0xe9, 0x80, 0x99);
  expect(decodeText(bytes, "t", "latin1")).toBe("c\u00e9\u0080\u0099");
  expect(decodeText(bytes, "t", "windows-1252")).toBe("c\u00e9\u20ac\u2122");
});

describe("what does not decode is refused by its line, and never replaced", () => {
  const latin = Buffer.from("image,label\na.png,one\nb.png,th\xe9\nc.png,two\n", "latin1");
  it.each([1, 3, 8, 1000])("Latin-1 taken for UTF-8, in parts of %d", async (size) => {
    const message =
      't.csv: line 3 is no UTF-8; say what it is with --encoding windows-1252 (it would read "b.png,th\u00e9")';
    expect(() => decodeText(latin, "t.csv")).toThrow(message);
    await expect(inParts(latin, size)).rejects.toThrow(message);
  });
  it("a character that is cut off at the end", () => {
    expect(() => decodeText(Buffer.from("a\n\u00e9").subarray(0, 3), "t")).toThrow("t: line 2 is no UTF-8");
  });
  it("UTF-16 without a mark has zero bytes", () => {
    expect(() => decodeText(Buffer.from("a\nb", "utf16le"), "t")).toThrow(
      "t has a zero byte in line 1: it is no text, or UTF-16",
    );
  });
  it("half a pair in UTF-16", async () => {
    const bytes = Buffer.from("a\nb\ud83dc", "utf16le");
    expect(() => decodeText(bytes, "t", "utf-16le")).toThrow("t is no utf-16le");
    await expect(inParts(bytes, 3, "utf-16le")).rejects.toThrow("at line 2 or after it");
  });
  it("a line that never ends costs no more than two megabytes", async () => {
    await expect(inParts(Buffer.alloc(2 ** 22, 97), 2 ** 16)).rejects.toThrow("a line of more than 2097152 bytes");
    for (const encoding of ["latin1", "utf-16le"] as const)
      await expect(inParts(Buffer.alloc(2 ** 23, 97), 2 ** 16, encoding)).rejects.toThrow(
        "a line of more than 2097152",
      );
  });
  it("UTF-32 begins with UTF-16's mark", () => {
    const utf32 = Buffer.concat([..."\ufeffa,b"].map((c) => Buffer.from([...Buffer.from(c, "utf16le"), 0, 0])));
    expect(() => decodeText(utf32, "t")).toThrow("t is no utf-16le");
  });
});
