import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { rate } from "../engine/rate.ts";
import type { CleanResult } from "../experiments/result.ts";
import { cleanReport } from "./clean-report.ts";
import { cleanFixture } from "./fixture.ts";
import { comparison } from "./variants.ts";

const parse = (html: string) => parseHTML(html).document;
const headings = (html: string) => [...parse(html).querySelectorAll("h2")].map((h) => h.textContent);

test("the fixture renders to the stored page", async () => {
  await expect(cleanReport(cleanFixture)).toMatchFileSnapshot("clean-report.snapshot.htm");
});

test("the verdict stands first, then trigger, examples, curves, variants, before and after, and how it was done", () => {
  const page = parse(cleanReport(cleanFixture));
  expect(page.querySelector("main")!.firstElementChild!.className).toBe("verdict proven");
  expect(page.querySelector("h1")!.textContent).toBe(cleanFixture.verdict.headline);
  expect(headings(cleanReport(cleanFixture))).toEqual([
    "The trigger",
    "What the trigger does",
    "Accuracy and attack against alpha",
    "Ways of making the vector",
    "Before and after",
    "How this was measured",
    "What was run",
  ]);
});

test("plain comes first and controls last, in the panels and in the table", () => {
  const page = parse(cleanReport(cleanFixture));
  const order = ["plain", "anchored", "consensus", "fisher", "relabel"];
  expect([...page.querySelectorAll(".panel figcaption > b")].map((b) => b.textContent)).toEqual(order);
  expect([...page.querySelectorAll(".variants tbody th > b")].map((b) => b.textContent)).toEqual(order);
});

test("a variant is better where one interval lies clear of plain's and the other does not lie clear on the wrong side", () => {
  const scores = (ca: number, asr: number) => ({ ca: rate(ca, 1000), asr: rate(asr, 1000) });
  const plain = scores(800, 20);
  expect(comparison(scores(900, 20), plain)).toBe("better");
  expect(comparison(scores(800, 80), plain)).toBe("worse");
  expect(comparison(scores(900, 80), plain)).toBe("mixed");
  expect(comparison(scores(810, 15), plain)).toBe("level");
});

test("what is not proven says so, and why", () => {
  const verdict = { proven: false, headline: "Accuracy fell too far", reasons: ["62.4 % of CA is kept", "one more"] };
  const page = parse(cleanReport({ ...cleanFixture, verdict }));
  const banner = page.querySelector(".verdict")!;
  expect(banner.className).toBe("verdict unproven");
  expect(banner.querySelector(".stamp")!.textContent).toBe("Not proven");
  expect([...banner.querySelectorAll("li")].map((li) => li.textContent)).toEqual(verdict.reasons);
});

test("missing parts leave no empty sections", () => {
  const { output: _, triggerPicture: __, ...rest } = cleanFixture;
  const bare: CleanResult = { ...rest, variants: {}, examples: [], timings: [], proof: { shifted: [] } };
  const html = cleanReport(bare);
  expect(headings(html)).toEqual(["The trigger", "Before and after", "How this was measured", "What was run"]);
  expect(html).not.toMatch(/undefined|NaN|\[object/);
  for (const part of parse(html).querySelectorAll("section, table, tbody, dl, figure, ul")) {
    expect(part.textContent.trim()).not.toBe("");
  }
});

test("without labels CA is called agreement, and explained", () => {
  const html = cleanReport({ ...cleanFixture, data: { ...cleanFixture.data, labels: "agreement" } });
  expect(html).toContain("Agreement with the model before");
  expect(html).toContain("It is 100 % before by definition");
});

const hostile = `"><img src=x onerror=alert(1)>'</style></script><script>alert(1)</script><!--`;

/** Every string and every name in a spec replaced, but pictures and the words that choose what is drawn. */
function poisoned(value: unknown, key = ""): unknown {
  if (typeof value === "string") return /^data:image|^given$/.test(value) ? value : hostile;
  if (Array.isArray(value)) return value.map((item) => poisoned(item));
  if (typeof value !== "object" || value === null) return value;
  const rename = ["spec", "settings"].includes(key)
    ? (name: string) => (name === "kind" ? name : name + hostile)
    : (name: string) => name;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [rename(name), poisoned(item, name)]));
}

/** Element and attribute names, in order. */
const skeleton = (html: string) =>
  [...parse(html).querySelectorAll("*")].map((e) => [e.localName, ...[...e.attributes].map((a) => a.name)].join(" "));

test("hostile text adds no element and no attribute, wherever it stands", () => {
  const html = cleanReport(poisoned(cleanFixture) as CleanResult);
  expect(html).not.toContain("<script>alert");
  expect(skeleton(html)).toEqual(skeleton(cleanReport(cleanFixture)));
  const named = cleanReport({ ...cleanFixture, variants: { [hostile]: cleanFixture.variants.plain } });
  expect(named).not.toMatch(/<script>alert|<img src=x/);
});

test("nothing is fetched: pictures are data, the only link is a link, and the page forbids the rest", () => {
  const [example] = cleanFixture.examples;
  const fetching = [
    "https://example.org/a.png",
    "//example.org/a.png",
    "data:image/svg+xml,<svg/>",
    'data:image/png;base64,AA"x',
  ];
  const examples = fetching.map((clean) => ({ ...example, clean }));
  const page = parse(cleanReport({ ...cleanFixture, examples }));
  for (const img of page.querySelectorAll("img"))
    expect(img.getAttribute("src")).toMatch(/^data:image\/png;base64,[\w+/=]+$/);
  expect(page.querySelectorAll(".picture.none").length).toBe(fetching.length);
  expect([...page.querySelectorAll("[href], [action], [data], [poster], [srcset]")].map((e) => e.outerHTML)).toEqual([
    '<a href="https://arxiv.org/abs/2510.14845">TBAR, arXiv 2510.14845</a>',
  ]);
  expect(page.querySelectorAll("link, iframe, object, embed, script:not([type='application/json'])").length).toBe(0);
  expect(page.querySelector("style")!.textContent).not.toMatch(/url\(|@import/);
  expect(page.querySelector("meta[http-equiv]")!.getAttribute("content")).toContain("default-src 'none'");
});

test("a page of five variants without pictures is below 70 KB, which leaves eight examples their 330 KB of 400", () => {
  expect(Buffer.byteLength(cleanReport({ ...cleanFixture, examples: [] }))).toBeLessThan(70_000);
});

test("the JSON in the page is the result without its pictures", () => {
  const json = JSON.parse(parse(cleanReport(cleanFixture)).querySelector("#result")!.textContent);
  const { triggerPicture: _, examples, ...rest } = cleanFixture;
  expect(json).toEqual({ ...rest, examples: examples.map(({ label, before, after }) => ({ label, before, after })) });
});
