import { expect, test } from "vitest";
import { style } from "./style.ts";

type Rgb = readonly number[];
type Theme = ReadonlyMap<string, Rgb>;

const variables = (css: string): [string, Rgb][] =>
  [...css.matchAll(/--([\w-]+): #([0-9a-f]{6});/g)].map(([, name, hex]) => [
    name,
    [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)),
  ]);
const [lightRule, darkRule] = [...style.matchAll(/:root \{[^}]*\}/g)].map(([rule]) => rule);
const light: Theme = new Map(variables(lightRule));
const dark: Theme = new Map([...light, ...variables(darkRule)]);

/** WCAG 2.2: relative luminance, and (L1 + 0.05) / (L2 + 0.05). */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** The chosen row: 7 % of --ca over the card. */
const chosenRow = (theme: Theme): Rgb => theme.get("card")!.map((v, i) => 0.07 * theme.get("ca")![i] + 0.93 * v);

test("the formula is WCAG's: black on white 21, #767676 on white 4.54", () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 5);
  expect(contrast([0x76, 0x76, 0x76], [255, 255, 255])).toBeCloseTo(4.54, 2);
});

test.each([
  ["light", light],
  ["dark", dark],
] as const)("%s: every text has a contrast of 4.5 or more on every ground it stands on", (_, theme) => {
  const at = (name: string) => theme.get(name)!;
  const grounds = { page: at("page"), card: at("card"), row: chosenRow(theme) };
  const tints = { good: at("good-tint"), warn: at("warn-tint") };
  const pairs: [string, Rgb, Rgb][] = [
    ...["ink", "soft", "good", "warn", "bad"].flatMap((text) =>
      Object.entries(grounds).map(([on, ground]): [string, Rgb, Rgb] => [`${text} on ${on}`, at(text), ground]),
    ),
    ...["ink", "soft", "warn"].flatMap((text) =>
      Object.entries(tints).map(([on, ground]): [string, Rgb, Rgb] => [`${text} on ${on}-tint`, at(text), ground]),
    ),
    ["stamp, verified", at("good-tint"), at("good")],
    ["stamp, not verified", at("warn-tint"), at("warn")],
    ["tag of the chosen one", at("card"), at("ca")],
  ];
  const low = pairs.map(([what, a, b]) => [what, contrast(a, b)] as const).filter(([, ratio]) => ratio < 4.5);
  expect(low).toEqual([]);
  expect(pairs.length).toBe(24);
});

test.each([
  ["light", light],
  ["dark", dark],
] as const)("%s: lines and points of charts have 3 or more", (_, theme) => {
  for (const name of ["ca", "asr", "soft", "faint"]) {
    expect(contrast(theme.get(name)!, theme.get("card")!), name).toBeGreaterThanOrEqual(3);
  }
});

test("text is written in those colours alone", () => {
  const used = new Set([...style.matchAll(/[\s;{]color: var\(--([\w-]+)\)/g)].map(([, name]) => name));
  expect([...used].sort()).toEqual(["bad", "card", "good", "ink", "soft", "tint", "tone", "warn"]);
  expect(style).not.toMatch(/[\s;{]color: (?!var|inherit)/);
  for (const [, , fill] of style.matchAll(/(text[\w.]*|\.tip) \{[^}]*fill: var\(--(\w+)\)/g)) {
    expect(["ink", "soft"]).toContain(fill);
  }
});

test("the colours of judgements are not those of rates", () => {
  const rules = [...style.matchAll(/([^{}]+)\{[^}]*var\(--(asr|ca)\)/g)].map(([, selector]) => selector.trim());
  expect(rules.filter((selector) => /figure|verdict|tally|missed|word|q\./.test(selector))).toEqual([]);
});
