import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { cleanText } from "./clean-text.ts";

// each line by ftfy 6.3 and open_clip's basic_clean
test.each([
  ["curly quotes become straight", "\u201csmart\u201d \u2018single\u2019 l\u2019eau \u02bcn", `"smart" 'single' l'eau 'n`],
  ["Latin ligatures are taken apart", "\ufb01ne \ufb02ower o\ufb03ce \u0132s \u01c4 \ufb05 \ufb06", "fine flower office IJs D\u017d \u017ft st"],
  ["full and half width", "\uff26\uff35\uff2c\uff2c\u3000\uff76\uff80\uff76\uff85 \uff1a\uff0f", "FULL \u30ab\u30bf\u30ab\u30ca :/"],
  ["line breaks are white space, white space is one space", " a\r\nb\rc\u2028d\t \u00a0\u2003e ", "a b c d e"],
  ["control characters and terminal escapes go", "\u001b[31mred\u001b[0m \u0000a\u007f \ufeffb\ufffc\u206a", "red a b"],
  ["C1 controls are Windows-1252's characters", "\u0085 \u0080 \u0099", "\u2026 \u20ac \u2122"],
  ["composed (NFC)", "cafe\u0301", "caf\u00e9"],
  ["entities, twice escaped too", "&lt;b&gt; &amp;amp; &eacute; &#39; &copy 1", "<b> & \u00e9 ' \u00a9 1"],
  ["capital entities that HTML does not know", "P&EACUTE;REZ", "P\u00c9REZ"],
  ["an escaped quote is straight, but for HTML from the line of its first tag on", "&rsquo;\n&rsquo;<b>&rsquo;", "' \u2019<b>\u2019"],
  ["a lone surrogate", "a\ud800b \ud83d\ude00", "a\ufffdb \ud83d\ude00"],
  ["what is well-formed stays", "na\u00efve \u65e5\u672c zero\u200bwidth soft\u00adhyphen \u00bd \u2460", "na\u00efve \u65e5\u672c zero\u200bwidth soft\u00adhyphen \u00bd \u2460"],
  ["mojibake is mended", "sch\u00c3\u00b6n", "sch\u00f6n"],
  ["entities nested to any depth", "&amp;amp;amp;amp;eacute;", "\u00e9"],
])("%s", (_, text, clean) => expect(cleanText(text)).toBe(clean)); // biome-ignore format: a table

/** Texts that went through ten encodings, once and twice, with bytes lost; scripts/golden/broken_texts.py made them. */
const broken: readonly (readonly [string, string])[] = JSON.parse(
  readFileSync(new URL("../../test/golden/files/broken-texts.json", import.meta.url), "utf8"),
);

test("1,022 broken texts become what ftfy and html.unescape make of them", () => {
  expect(broken).toHaveLength(1022);
  const wrong = broken
    .map(([text, clean]) => [text, cleanText(text), clean])
    .filter(([, ours, clean]) => ours !== clean);
  expect(wrong).toEqual([]);
});

test("entities nested ten thousand deep, and mojibake of mojibake, take no seconds", () => {
  const before = process.cpuUsage();
  for (const layer of ["amp;", "#38;", "#x26;", "AMP;", "#0038;"])
    expect(cleanText(`&${layer.repeat(10_000)}eacute;`)).toBe("\u00e9");
  let broken = "\u00e9";
  for (let i = 0; i < 10; i++) broken = Buffer.from(broken).toString("latin1");
  expect(cleanText(broken)).toBe("\u00e9");
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(2);
});
