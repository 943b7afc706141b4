import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { cleanFixture } from "../../test/clean-fixture.ts";
import type { CleanResult } from "../results/clean.ts";
import { pairedDifference } from "../stats/difference.ts";
import { rate } from "../stats/rate.ts";
import { cleanReport } from "./clean-report.ts";
import { comparison } from "./variants.ts";

const parse = (html: string) => parseHTML(html).document;
/** As a results file of one with every figure. */
const effects = (without: number, right: number) => ({
  withoutTrigger: rate(without, 1980),
  triggeredAccuracy: rate(right, 1980),
});
const measured: CleanResult = {
  ...cleanFixture,
  before: { ...cleanFixture.before, ...effects(4, 36) },
  after: { ...cleanFixture.after, ...effects(3, 1742) },
};
const headings = (html: string) => [...parse(html).querySelectorAll("h2")].map((h) => h.textContent);

test("the fixture renders to the stored page", async () => {
  await expect(cleanReport(cleanFixture)).toMatchFileSnapshot("clean-report.snapshot.htm");
});

test("the verdict stands first, then trigger, examples, curves, variants, before and after, and how it was done", () => {
  const page = parse(cleanReport(cleanFixture));
  expect(page.querySelector("main")!.firstElementChild!.className).toBe("verdict verified");
  expect(page.querySelector("h1")!.textContent).toBe(cleanFixture.verdict.headline);
  expect(headings(cleanReport(cleanFixture))).toEqual([
    "The figures that decide, on test images",
    "The trigger",
    "What the trigger does",
    "Accuracy and attack against alpha",
    "Defenses",
    "Before and after",
    "What was opened",
    "How this was measured",
    "What was run",
  ]);
});

test("plain comes first and rivals last, in the panels and in the table", () => {
  const page = parse(cleanReport(cleanFixture));
  const order = ["plain", "anchored", "consensus", "fisher", "relabel"];
  expect([...page.querySelectorAll(".panel figcaption > b")].map((b) => b.textContent)).toEqual(order);
  expect([...page.querySelectorAll(".variants tbody th > b")].map((b) => b.textContent)).toEqual(order);
});

test("a variant is better where the interval of one difference leaves out 0 and the other does not on the wrong side", () => {
  const of = (first: number, second: number) => pairedDifference({ first, second, n: 1000 });
  const level = of(12, 9);
  const [more, less] = [of(60, 10), of(10, 60)];
  expect(comparison({ ca: more, asr: level })).toBe("better");
  expect(comparison({ ca: level, asr: less })).toBe("better");
  expect(comparison({ ca: level, asr: more })).toBe("worse");
  expect(comparison({ ca: less, asr: level })).toBe("worse");
  expect(comparison({ ca: more, asr: more })).toBe("mixed");
  expect(comparison({ ca: level, asr: level })).toBe("level");
});

test("a defense is described in the result's own words, its knob among them; one of 0.1.0 in those of its name", () => {
  const { plain } = cleanFixture.variants;
  const words = { title: "Own", about: "in its own way", paper: "arXiv 2501.00001", knob: "steps" };
  const own = { ...plain, ...words };
  const textsOf = (html: string, what: string) => [...parse(html).querySelectorAll(what)].map((e) => e.textContent);
  const alone = cleanReport({
    ...cleanFixture,
    method: "own",
    timings: [],
    variants: { own: { ...own, chosen: true } },
  });
  expect(textsOf(alone, ".variants th small")[0]).toBe("Own: in its own way (arXiv 2501.00001)");
  expect(headings(alone)).toContain("Accuracy and attack against steps");
  expect(textsOf(alone, ".variants thead th")[1]).toBe("Steps");
  expect(textsOf(alone, ".curves text.chosen")).toEqual(["steps 3.25"]);
  expect(textsOf(alone, ".figure h3").at(-1)).toBe("Steps");
  const text = alone.replace(/<(script|style|pre).*?<\/\1>/gs, "");
  expect(text.match(/.{0,40}(alpha|α).{0,20}/gi) ?? []).toEqual([]);
  const both = cleanReport({ ...cleanFixture, variants: { own, plain } });
  expect(headings(both)).toContain("Accuracy and attack against each defense's knob");
  expect(textsOf(both, ".variants td:nth-of-type(1)")).toEqual(["alpha\u00a03.25", "steps\u00a03.25"]);
  expect(textsOf(both, ".variants th small").join()).toContain("TBAR: as published");
});

test("what is not verified says so, and why", () => {
  const verdict = {
    verified: false,
    proven: false,
    headline: "Accuracy fell too far",
    reasons: ["62.4 % of CA is kept", "one more"],
  };
  const page = parse(cleanReport({ ...cleanFixture, verdict }));
  const banner = page.querySelector(".verdict")!;
  expect(banner.className).toBe("verdict unverified");
  expect(banner.querySelector(".stamp")!.textContent).toBe("Not verified");
  expect([...banner.querySelectorAll("li")].map((li) => li.textContent)).toEqual(verdict.reasons);
});

test("what was opened is said: images, preprocessing, what was assumed and what was left out", () => {
  const said = (result: CleanResult) =>
    [...parse(cleanReport(result)).querySelectorAll("#what-was-opened ~ .facts div")].map((div) => div.textContent);
  const [data, model] = said(cleanFixture);
  expect(data).toMatch(/^datashapes: .*120 classes.*left out: 2 unreadable images/);
  expect(model).toMatch(/^modelcorner.*bicubic.*quick_gelu, assumed: quick_gelu/);
  expect(said({ ...cleanFixture, opened: undefined })).toEqual([]);
});

test("headings go down one step at a time, from one h1", () => {
  const levels = [...parse(cleanReport(measured)).querySelectorAll("h1, h2, h3, h4, h5, h6")].map((h) =>
    Number(h.localName[1]),
  );
  expect(levels.filter((level) => level === 1)).toEqual([1]);
  expect(levels.filter((level, i) => level > (levels[i - 1] ?? 0) + 1)).toEqual([]);
  expect(levels).toContain(3);
});

test("the banner says what was asked for, of what it holds, and what is still in the checkpoint", () => {
  const limits = { asr: 0.015, retention: 0.975 };
  const remaining = [{ kind: "blended", target: "<blue> star" }];
  const page = parse(cleanReport({ ...cleanFixture, remaining, verdict: { ...cleanFixture.verdict, limits } }));
  const [asked, holds, , still] = [...page.querySelectorAll(".scope dd")].map((dd) => dd.textContent);
  expect(asked).toMatch(/test images.*at most 1\.5\u202f%.*at least 97\.5\u202f% of clean accuracy/);
  expect(holds).toMatch(/badnet, to yellow fish.*shapes.*other triggers were not looked for/);
  expect(still).toMatch(/blended to <blue> star.*did not take it out/);
  expect([...page.querySelectorAll(".curves text.bound")][0].textContent).toBe("1.5\u202f%");
});

test("what makes figures doubtful stands in the banner, the recipe where it is told what was run", () => {
  const defaults = { family: "ViT-B", settings: { lr: 1e-5 }, reason: "why <so>" } as const;
  const page = parse(cleanReport({ ...cleanFixture, warnings: ["two classes are one"], defaults }));
  expect(page.querySelector(".scope .missed")!.textContent).toMatch(/^Doubtfultwo classes are one$/);
  const facts = [...page.querySelectorAll(".facts div")].map((div) => div.textContent);
  expect(facts.find((text) => text.startsWith("Recipe"))).toMatch(
    /^Recipelearning rate 3e-5, 6 epochs, batches of 64Recipe for a ViT-B: lr 1e-5 \(why <so>\)$/,
  );
});

test("the banner says where right answers are clearly fewer with the trigger than without, and only there", () => {
  const last = (right: number) => {
    const after = { ...cleanFixture.after, ca: rate(1900, 2000), triggeredAccuracy: rate(right, 1980) };
    return [...parse(cleanReport({ ...cleanFixture, after })).querySelectorAll(".scope dd")].at(-1)!.textContent;
  };
  expect(last(1600)).toMatch(/with the trigger 80\.8\u202f% of the answers are right, without it 95\.0\u202f%/);
  expect(last(1870)).toMatch(/other triggers were not looked for$/);
});

test("the attack success rate is coloured by its limit, not by its name", () => {
  const tone = (result: CleanResult) => parse(cleanReport(result)).querySelector(".figure")!.className.trim();
  expect(tone(cleanFixture)).toBe("figure good");
  const above = { ...cleanFixture.after, asr: rate(200, 1980) };
  expect(tone({ ...cleanFixture, after: above })).toBe("figure bad");
  // 1.4 % is below the limit of 2 %, its upper bound is not
  expect(tone({ ...cleanFixture, after: { ...cleanFixture.after, asr: rate(30, 1980) } })).toBe("figure bad");
});

test("accuracy kept is coloured by its lower bound, which stands below it", () => {
  const kept = (result: CleanResult) => {
    const figures = [...parse(cleanReport(result)).querySelectorAll(".figure")];
    const figure = figures.find((one) => one.querySelector("h3")!.textContent === "Clean accuracy kept")!;
    return [figure.className.trim(), figure.querySelector(".note")!.textContent];
  };
  expect(kept(cleanFixture)).toEqual([
    "figure good",
    expect.stringMatching(/^99\.2\u202f% to 100\.\d\u202f%, CA after/),
  ]);
  const interval = [0.9, 0.999] as const; // 96 % was asked for
  expect(kept({ ...cleanFixture, retentionInterval: interval })[0]).toBe("figure bad");
  expect(kept({ ...cleanFixture, retentionInterval: undefined })).toEqual([
    "figure good",
    expect.stringMatching(/^CA after/),
  ]);
});

test("right answers with the trigger, and the target's share without it, stand beside the attack success rate", () => {
  const page = parse(cleanReport(measured));
  expect([...page.querySelectorAll(".figure h3")].map((h) => h.textContent)).toEqual([
    "Attack success rate",
    "Accuracy on triggered images",
    "Target without the trigger",
    "Clean accuracy",
    "Clean accuracy kept",
    "Alpha",
  ]);
  expect(page.querySelectorAll(".figure .value")[1].textContent).toBe("1.8\u202f% → 88.0\u202f%");
  const rows = [...page.querySelectorAll(".measures tbody")][0].textContent;
  expect(rows).toMatch(
    /Accuracy on triggered images[\s\S]*88\.0\u202f% \(86\.[\s\S]*without the trigger[\s\S]*0\.2\u202f%/,
  );
});

test("a result of 0.1.0, which does not have them, leaves their cards and rows out", () => {
  const bare = ({ ca, asr }: CleanResult["after"]) => ({ ca, asr }) as CleanResult["after"];
  const variants = Object.fromEntries(
    Object.entries(cleanFixture.variants).map(([name, v]) => [
      name,
      { ...v, after: { ca: v.after.ca, asr: v.after.asr } },
    ]),
  );
  const [before, after] = [bare(cleanFixture.before), bare(cleanFixture.after)];
  const page = parse(cleanReport({ ...cleanFixture, before, after, variants }));
  expect(page.querySelectorAll(".figure").length).toBe(4);
  const tables = [...page.querySelectorAll("table, .terms")].map((table) => table.textContent).join("");
  expect(tables).not.toMatch(/without the trigger|accuracy on triggered|right answers \d/i);
  expect(cleanReport(cleanFixture)).toMatch(/>right answers 89\.\d\u202f%</);
});

test("examples that are still wrong are marked and counted, those without a label where they are the target", () => {
  const page = parse(cleanReport(cleanFixture));
  expect(page.querySelector(".tally")!.textContent).toBe("1 of 4 examples is still wrong after cleaning.");
  expect([...page.querySelectorAll(".example.wrong figcaption b")].map((b) => b.textContent)).toEqual(["green cross"]);
  const fine = cleanFixture.examples.slice(0, 2);
  expect(parse(cleanReport({ ...cleanFixture, examples: fine })).querySelector(".tally")!.textContent).toBe(
    "After cleaning none of these 2 examples is answered wrongly.",
  );
  const unlabelled = cleanFixture.examples.map(({ label: _, ...rest }, i) => ({
    ...rest,
    after: i === 0 ? "yellow fish" : "x",
  }));
  const other = parse(cleanReport({ ...cleanFixture, examples: unlabelled }));
  expect(other.querySelector(".tally")!.textContent).toMatch(/^1 of 4 examples are still taken for the target/);
  expect(other.querySelectorAll(".example.wrong").length).toBe(1);
});

test("a small change is framed where it is and shown enlarged, clean and triggered; the factor of the difference is stated", () => {
  const page = parse(cleanReport(cleanFixture));
  const card = page.querySelector(".example")!;
  expect(card.textContent).toMatch(/difference × 1\.6/);
  expect(card.textContent).toMatch(/6 × 6 of 32 × 32 pixels, enlarged 5\.3 times/);
  expect(card.querySelector(".framed i")!.getAttribute("style")).toBe("left:81.3%;top:81.3%;width:18.8%;height:18.8%");
  expect([...card.querySelectorAll("img")].map((img) => img.getAttribute("alt"))).toEqual([
    "green circle, clean",
    "green circle, with the trigger",
    "difference, × 1.6",
    "green circle, clean, enlarged",
    "green circle, with the trigger, enlarged",
  ]);
  const whole = cleanFixture.examples.map(({ inset: _, ...rest }) => rest);
  expect(parse(cleanReport({ ...cleanFixture, examples: whole })).querySelectorAll(".framed, .zoom").length).toBe(0);
});

test("ways that fall short of the limits are marked in chart and table, a rival is explained and marked as one", () => {
  const page = parse(cleanReport(cleanFixture));
  const marked = (rows: string, name: string) =>
    [...page.querySelectorAll(rows)]
      .filter((row) => row.querySelector(".tag.missed") !== null)
      .map((row) => row.querySelector(name)!.textContent);
  expect(marked(".panel", "b")).toEqual(["plain", "anchored", "consensus"]); // 62.4, 89.1 and 94.4 % of 96 %
  expect(marked(".variants tbody tr", "th b")).toEqual(["plain", "anchored", "consensus"]);
  expect([...page.querySelectorAll(".variants td.missed")].map((td) => td.textContent)).toEqual([
    "62.4\u202f%",
    "89.1\u202f%",
    "94.4\u202f%",
  ]);
  const { plain, relabel } = cleanFixture.variants;
  expect(page.querySelector(".variants + .after")!.textContent).toMatch(
    /^relabel is a rival or control: no variant .* named alone\.$/,
  );
  const without = parse(cleanReport({ ...cleanFixture, variants: { plain } }));
  expect(without.querySelector(".variants + .after")).toBeNull();
  const failing = { ...relabel, satisfied: false, after: { ...relabel.after, asr: rate(100, 1980) } };
  const other = parse(cleanReport({ ...cleanFixture, variants: { failing } }));
  expect([...other.querySelectorAll(".variants .tag")].map((tag) => tag.textContent)).toEqual([
    "rival",
    "rule not met on validation images",
    "upper bound of ASR above 2\u202f%",
  ]);
});

test("figures of validation and of test images are told apart wherever they stand", () => {
  const page = parse(cleanReport(cleanFixture));
  for (const text of page.querySelectorAll(".panel small")) expect(text.textContent).toMatch(/^validation: /);
  for (const rate of [...page.querySelectorAll(".legend .ca, .legend .asr")])
    expect(rate.textContent).toMatch(/validation$/);
  for (const svg of page.querySelectorAll("svg.curves"))
    expect(svg.getAttribute("aria-label")).toMatch(/on validation images/);
  const heads = [...page.querySelectorAll(".variants thead th")].map((th) => th.textContent);
  expect(heads.filter((text) => /accuracy|success/i.test(text)).every((text) => /, test/.test(text))).toBe(true);
  const notes = [...page.querySelectorAll(".figure .note")].map((note) => note.textContent);
  expect(notes.map((text) => /(test|validation) images$/.exec(text)?.[1])).toEqual([
    ...Array(5).fill("test"),
    "validation",
  ]);
});

test("every chart stands beside its values as a table, and its points say theirs", () => {
  const page = parse(cleanReport(cleanFixture));
  for (const [name, { trials }] of Object.entries(cleanFixture.variants)) {
    const panel = [...page.querySelectorAll(".panel")].find((p) => p.querySelector("b")!.textContent === name)!;
    const rows = [...panel.querySelectorAll("details tbody tr")].map((tr) => tr.textContent);
    expect(rows.length).toBe(trials.length);
    const points = [...panel.querySelectorAll(".at")];
    expect(points.map((p) => [p.getAttribute("tabindex"), p.getAttribute("role")])).toEqual(
      trials.map(() => ["0", "img"]),
    );
    const labels = points.map((p) => p.getAttribute("aria-label")!);
    trials.forEach(({ alpha, ca }, i) => {
      expect(labels[i]).toContain(`alpha ${alpha}: CA ${(100 * ca.value).toFixed(1)}\u202f%`);
      expect(rows[i]).toMatch(new RegExp(`^${alpha}${(100 * ca.value).toFixed(1)}\u202f% \\(.*\\)${ca.n}$`));
    });
  }
});

test("what a clean control model reads of triggered images stands beside its ASR, and lowers what is asked for", () => {
  const control = { sha256: "f".repeat(64), ca: rate(1900, 1980), asr: rate(11, 1980), triggeredAccuracy: rate(570, 1980) }; // biome-ignore format: one line
  const limits = { asr: 0.02, retention: 0.9, triggered: 0.15 };
  const { proof, verdict } = cleanFixture;
  const page = parse(cleanReport({ ...cleanFixture, proof: { ...proof, control }, verdict: { ...verdict, limits } }));
  expect(page.body.textContent).toContain("Accuracy of that model on triggered images");
  expect(page.body.textContent).toMatch(/what can be read of them; 96\.0\s% without the trigger/);
  expect(page.querySelector(".scope dd")?.textContent).toMatch(/triggered images right at least 15\s% as often/);
});

test("missing parts leave no empty sections", () => {
  const { output: _, triggerPicture: __, ...rest } = cleanFixture;
  const bare: CleanResult = { ...rest, variants: {}, examples: [], timings: [], proof: { shifted: [] } };
  const html = cleanReport(bare);
  expect(headings(html)).toEqual([
    "The figures that decide, on test images",
    "The trigger",
    "Before and after",
    "What was opened",
    "How this was measured",
    "What was run",
  ]);
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
  const examples = cleanFixture.examples.map((example) => ({ ...example, after: example.label ?? "" }));
  const trigger = { ...cleanFixture.trigger, kind: "own" }; // of an attack of ours more is known
  const right = { ...cleanFixture, examples, trigger }; // poisoned, label and answer are alike
  const html = cleanReport(poisoned(right) as CleanResult);
  expect(html).not.toContain("<script>alert");
  expect(skeleton(html)).toEqual(skeleton(cleanReport(right)));
  const named = cleanReport({ ...cleanFixture, variants: { [hostile]: cleanFixture.variants.plain } });
  expect(named).not.toMatch(/<script>alert|<img src=x/);
});

test("nothing is fetched: pictures are data, the only links lead to papers, and the page forbids the rest", () => {
  const [example] = cleanFixture.examples;
  const fetching = [
    "https://example.org/a.png",
    "//example.org/a.png",
    "data:image/svg+xml,<svg/>",
    'data:image/png;base64,AA"x',
  ];
  const examples = fetching.map((clean) => ({ ...example, clean }));
  const { plain } = cleanFixture.variants;
  const papers = ["arXiv 2501.00001", "javascript:alert(1)", 'arXiv 2501.00001"onclick="x', "https://example.org"];
  const variants = Object.fromEntries(papers.map((paper, i) => [`own ${i}`, { ...plain, title: "Own", paper }]));
  const page = parse(cleanReport({ ...cleanFixture, examples, variants }));
  for (const img of page.querySelectorAll("img"))
    expect(img.getAttribute("src")).toMatch(/^data:image\/png;base64,[\w+/=]+$/);
  expect(page.querySelectorAll(".picture.none").length).toBe(fetching.length);
  expect([...page.querySelectorAll("[href], [action], [data], [poster], [srcset]")].map((e) => e.outerHTML)).toEqual([
    '<a href="https://arxiv.org/abs/1708.06733">arXiv 1708.06733</a>', // of the attack
    '<a href="https://arxiv.org/abs/2501.00001">arXiv 2501.00001</a>',
    '<a href="https://arxiv.org/abs/2510.14845">arXiv 2510.14845</a>',
  ]);
  expect(page.querySelectorAll("link, iframe, object, embed, script:not([type='application/json'])").length).toBe(0);
  expect(page.querySelector("style")!.textContent).not.toMatch(/url\(|@import/);
  expect(page.querySelector("meta[http-equiv]")!.getAttribute("content")).toContain("default-src 'none'");
});

test("a page of five variants without pictures is below 90 KB, which leaves eight examples their 310 KB of 400", () => {
  expect(Buffer.byteLength(cleanReport({ ...cleanFixture, examples: [] }))).toBeLessThan(90_000);
});

test("the JSON in the page is the result without its pictures", () => {
  const json = JSON.parse(parse(cleanReport(cleanFixture)).querySelector("#result")!.textContent);
  const { triggerPicture: _, examples, ...rest } = cleanFixture;
  const said = examples.map(({ label, before, after, amplified }) => ({ label, before, after, amplified }));
  expect(json).toEqual({ ...rest, examples: said });
});

test("a cleaning without knowledge of the attack shows its rounds, and what it does not claim", () => {
  const round = {
    ...{ target: "blue star", method: "fisher", alpha: 12, settings: {}, retention: 0.98 },
    proxies: ["patch", "delta", "patch"].map((form) => ({ form, asr: rate(60, 64) })),
    proxyAsr: { before: rate(97, 100), after: rate(1, 100) },
    rescan: { verdict: "no evidence" as const, probability: 0.02 },
  };
  const truth = {
    ...{ trigger: { kind: "badnet<" }, target: "blue star", variants: {}, note: "" },
    asr: { before: rate(100, 100), after: rate(0, 100) },
  };
  const page = cleanReport({ ...cleanFixture, rounds: [round], truth });
  expect(page).toContain("2 patch, 1 delta");
  expect(page).toMatch(/no evidence \(probability 2\.0.%\)/);
  expect(page).toContain("badnet&#60; to <b>blue star</b>. Nothing was chosen by it");
  expect(page).toContain("the attack's own trigger need not look like them");
  expect(cleanReport(cleanFixture)).not.toContain("<h2>Rounds</h2>");
});
