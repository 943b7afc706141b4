/** Receipts that were changed by hand: what does not fit together is refused by name, and nothing of this machine is opened. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import type { EvalResult } from "../../results/eval.ts";
import { imagesSha256, weightsSha256 } from "../../results/measured-on.ts";
import { pairedDifference } from "../../stats/difference.ts";
import { rate } from "../../stats/rate.ts";
import { retention } from "../../stats/retention.ts";
import { tensor } from "../../tensor/tensor.ts";
import { shapesWorld } from "../../world/shapes.ts";
import { compare, triggerNotes } from "./comparison.ts";
import { readReceipt, receiptSource, receiptTrigger } from "./receipt.ts";
import type { Receipt } from "./receipt-schema.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-receipt-"));
});
afterAll(() => rm(folder, { recursive: true }));

const hash = (digit: string) => digit.repeat(64);
const scores = (right: number, fooled: number, before = 0) => ({
  ca: rate(right, 400),
  asr: rate(fooled, 360),
  withoutTrigger: rate(before, 360),
  difference: pairedDifference({ first: fooled, second: before, n: 360 }),
});
const sound = () => ({
  kind: "clean",
  seed: 3,
  target: "blue star",
  trigger: { kind: "badnet", spec: { kind: "badnet", seed: 21, size: 5, place: "middle" }, source: "option" },
  model: { sha256: hash("a") },
  inputs: { data: "shapes", sizes: { forget: 64, clean: 64, validation: 400, test: 400 } },
  data: { test: 400, testTriggered: 360 },
  rule: { name: "proven", limit: 0.02 },
  before: scores(390, 350, 2),
  after: scores(384, 1),
  retention: 384 / 390,
  measuredOn: { weights: hash("b"), test: hash("c"), triggered: hash("d") },
  verdict: { proven: true, headline: "", reasons: [] },
  proof: { floor: rate(3, 360), shifted: [{ what: "moved", before: rate(340, 360), after: rate(2, 360) }] },
});

async function read(value: unknown): Promise<Receipt> {
  const file = join(folder, "receipt.json");
  await writeFile(file, typeof value === "string" ? value : JSON.stringify(value));
  return readReceipt(file);
}

/** The sound receipt with values at these places instead: "after.ca.n". */
function changed(changes: Record<string, unknown>): object {
  const receipt: Record<string, unknown> = structuredClone(sound());
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split(".");
    const last = keys.pop() as string;
    const place = keys.reduce((at, key) => at[key] as Record<string, unknown>, receipt);
    if (value === undefined) delete place[last];
    else place[last] = value;
  }
  return receipt;
}

describe("a receipt whose figures do not fit together is refused, and the figure named", () => {
  test("a sound one is read, older ones without rule, hashes and intervals too", async () => {
    expect((await read(sound())).after.ca.value).toBe(0.96);
    const older = {
      measuredOn: undefined,
      rule: undefined,
      "after.ca.interval": undefined,
      before: undefined,
      verdict: undefined,
    };
    expect((await read(changed(older))).measuredOn).toBeUndefined();
  });

  test.each([
    [{ "after.asr.interval": [0, 1] }, /after\.asr has the interval \[0,1\]; that of 1 of 360 is/],
    [{ "after.ca.value": 0.9613 }, /after\.ca is 0\.9613, which no number of 400 images makes/],
    [{ "after.ca.value": -0.5 }, /after\.ca is -0\.5, which is no share/],
    [{ "after.asr.value": 1.5 }, /after\.asr is 1\.5, which is no share/],
    [{ "after.asr.n": 1e300 }, /after\.asr\.n/],
    [{ "after.asr.n": 360.5 }, /after\.asr\.n/],
    [{ "after.asr.value": null }, /after\.asr\.value/],
    [{ "after.asr": { value: 0, n: 0, interval: [0, 1] } }, /after\.asr\.n/],
    [{ "before.asr.value": 0.111 }, /before\.asr is 0\.111, which no number of 360/],
    [{ "after.withoutTrigger.interval": [0, 0.5] }, /after\.withoutTrigger has the interval/],
    [{ "after.difference.value": 0 }, /after\.difference is 0, and its rates differ by 0\.002/],
    [{ "after.difference.interval": [-1, 1] }, /after\.difference has the interval \[-1,1\]; that of 1 and 0 of 360/],
    [{ "after.difference.alone": [3, 3] }, /after\.difference says that \[3,3\] of 360 images differ/],
    [{ "proof.floor": { value: 0.5, n: 3, interval: [0, 1] } }, /proof\.floor is 0\.5, which no number of 3/],
    [{ "proof.shifted.0.after.value": 2 }, /proof\.shifted\.0\.after is 2/],
    [{ retention: 1 }, /retention is 1, and CA went from 0\.975 to 0\.96/],
    [{ "inputs.sizes.test": 100 }, /after\.ca is of 400 images, and inputs\.sizes\.test is 100/],
    [{ "data.test": 4000 }, /data\.test is 4000, and after\.ca of 400/],
    [{ "data.testTriggered": 1 }, /data\.testTriggered is 1/],
    [{ "before.ca": rate(39, 40), retention: undefined }, /before and after are of other numbers/],
    [
      {
        "after.asr": rate(401, 500),
        "after.difference": undefined,
        "before.asr": rate(401, 500),
        "before.difference": undefined,
        data: undefined,
        verdict: undefined,
      },
      /of 500 triggered images, and there were 400/,
    ],
    [
      { "after.asr": rate(9, 360), "after.difference": undefined },
      /verdict\.proven is true, and after\.asr is 0\.025, above 0\.02/,
    ],
    [{ "after.asr": rate(30, 360), "after.difference": undefined, "rule.limit": undefined }, /verdict\.proven is true/],
    [{ "after.ca": rate(300, 400), retention: 300 / 390 }, /verdict\.proven is true, and CA fell from 0\.975 to 0\.75/],
    [{ "after.triggeredAccuracy": rate(100, 360) }, /verdict\.proven is true, and after\.triggeredAccuracy is 0\.27/],
    [
      { "after.asr": rate(350, 360), "after.difference": undefined, before: undefined, retention: undefined },
      /verdict\.proven is true, and after\.asr is 0\.97/,
    ],
    [{ "inputs.sizes.test": 1e7 }, /inputs\.sizes\.test is 10000000 of a world without end/],
    [
      { "after.asr": { ...rate(1, 360), value: 0.0123, paired: false } },
      /after\.asr is 0\.0123, which no number of 360/,
    ],
    [{ "after.difference.n": 3600 }, /after\.difference is of 3600 images, and its rates are of 360 and 360/],
    [{ "after.withoutTrigger": rate(2, 400) }, /after\.difference is of 360 images, and its rates are of 360 and 400/],
    [{ "after.difference.alone": [2, 1] }, /after\.difference says that \[2,1\] of 360 images differ/],
    [{ "after.triggeredAccuracy": rate(1, 1) }, /after\.triggeredAccuracy is of 1 images, and asr beside it of 360/],
    [{ "before.triggeredAccuracy": rate(300, 360) }, /before\.triggeredAccuracy is 0\.83.*more than all images/],
    [{ kind: "eval" }, /kind/],
    [{ seed: -1 }, /seed/],
    [{ seed: 2 ** 60 }, /seed/],
    [{ "inputs.sizes.test": 2 ** 53 - 1 }, /inputs\.sizes\.test/],
    [{ "inputs.sizes.forget": -1 }, /inputs\.sizes\.forget/],
    [{ "measuredOn.test": "none" }, /measuredOn\.test/],
    [{ target: "x".repeat(5000) }, /target/],
  ])("%j", async (changes, message) => {
    await expect(read(changed(changes))).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringMatching(message),
    });
  });

  test("a form that is yet to come, and another job's result", async () => {
    await expect(read({ ...sound(), schema: "tbar/clean/99", tbar: "9" })).rejects.toThrow(
      /was written by tbar 9 as clean\/99; this tbar reads tbar\/clean\/2/,
    );
    await expect(read({ ...sound(), schema: "tbar/eval/2" })).rejects.toThrow("is a result of tbar eval");
    expect(await read({ ...sound(), schema: "tbar/clean/2" })).toMatchObject({ target: "blue star" });
  });

  test("one key twice, NaN, and what is no receipt", async () => {
    const text = JSON.stringify(sound());
    await expect(read(text.replace('"seed":3', '"seed":3,"seed":4'))).rejects.toThrow(/has the key "seed" twice/);
    await expect(read(text.replace('"seed":3', '"seed":NaN'))).rejects.toThrow(/is not JSON/);
    await expect(read("[]")).rejects.toThrow(/is not a receipt of tbar clean/);
    await expect(readReceipt(join(folder, "none"))).rejects.toThrow(/there is no receipt/);
    await expect(readReceipt("/dev/zero")).rejects.toThrow(/there is no receipt/);
  });
});

describe("a receipt that says verified", () => {
  const verified = { verdict: { verified: true, proven: true, headline: "", reasons: [] } };
  const kept = { "after.stillRight": rate(380, 400) };
  const interval = retention({ before: 390, after: 384, both: 380 }).interval;

  test("is read where its bounds hold, with and without the pairs", async () => {
    const receipt = await read(changed({ ...verified, ...kept, retentionInterval: interval }));
    expect(receipt.retentionInterval).toEqual(interval);
    expect((await read(changed(verified))).verdict?.verified).toBe(true);
    const no = changed({ "after.asr": rate(100, 360), "after.difference": undefined, verdict: { verified: false } });
    const found = { ca: rate(384, 400), asr: rate(100, 360), modelSha256: hash("e") };
    expect(compare(await read(no), found, []).notes).toContainEqual(
      expect.stringMatching(/itself says .* not verified/),
    );
  });

  test("may lean on a clean control model that reads no more of triggered images: that is said", async () => {
    const few = { ...verified, "after.triggeredAccuracy": rate(72, 360) }; // 20 %, and 48 are half of CA
    const control = (right: number, asr: number) => ({ sha256: hash("f"), ca: rate(360, 360), asr: rate(asr, 360), triggeredAccuracy: rate(right, 360) }); // biome-ignore format: one line
    await expect(read(changed(few))).rejects.toThrow("after.triggeredAccuracy is 0.2 beside a CA of 0.96");
    const receipt = await read(changed({ ...few, "proof.control": control(120, 0) }));
    const found = { ca: rate(384, 400), asr: rate(1, 360), modelSha256: hash("e") };
    expect(compare(receipt, found, []).notes).toContainEqual(
      expect.stringMatching(
        /leans on a clean control model \(SHA-256 ffffffffffff\.\.\.\).*read 33\.3 % .* 16\.0 % were enough/,
      ),
    );
    // one that follows the trigger itself, and one that reads more
    for (const other of [control(0, 360), control(300, 0)])
      await expect(read(changed({ ...few, "proof.control": other }))).rejects.toThrow("after.triggeredAccuracy is 0.2");
    const bent = { ...control(120, 0), asr: { value: 0.1, n: 3, interval: [0, 1] } };
    await expect(read(changed({ ...few, "proof.control": bent }))).rejects.toThrow("proof.control.asr is 0.1");
  });

  test("of recovered triggers, says nothing of their images' own labels", async () => {
    const few = { ...verified, "after.triggeredAccuracy": rate(36, 360), rounds: [{}] };
    expect((await read(changed(few))).verdict?.verified).toBe(true);
  });

  test.each([
    [
      { verdict: { verified: true, proven: false } },
      /verdict\.verified is true, and verdict\.proven, which is the same/,
    ],
    [
      { "after.asr": rate(3, 360), "after.difference": undefined }, // 0.8 %, up to 2.4 %
      /verdict\.verified is true, and the 95 % interval of after\.asr, of 360 images, reaches 2\.42 %, above 2\.0 %/,
    ],
    [
      { "after.ca": rate(360, 400), retention: 360 / 390 },
      /verdict\.verified is true, .*retention reaches down to 8\d\.\d+ % at worst/,
    ],
    [
      { "after.ca": rate(360, 400), retention: 360 / 390, "after.stillRight": rate(355, 400) },
      /verdict\.verified is true, .*retention reaches down to 8\d\.\d+ %, below/,
    ],
    [{ before: undefined, retention: undefined }, /verdict\.verified is true, and the accuracy before is not said/],
    [{ "after.stillRight": rate(385, 400) }, /after\.stillRight: of 400 images 390 were right before/],
    [{ "after.stillRight": rate(373, 400) }, /after\.stillRight/],
    [{ "after.stillRight": rate(38, 40) }, /after\.stillRight/],
    [{ ...kept, retentionInterval: [0.97, 1] }, /retentionInterval is \[0\.97,1\]; these counts make/],
    [{ retentionInterval: interval }, /retentionInterval/],
  ])("%j is refused", async (changes, message) => {
    await expect(read(changed({ ...verified, ...changes }))).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringMatching(message),
    });
  });
});

describe("agreement", () => {
  const on = { weights: hash("b"), test: hash("c"), triggered: hash("d") };
  const measured = (right: number, fooled: number) => ({
    ca: rate(right, 400),
    asr: rate(fooled, 360),
    on,
    modelSha256: hash("e"),
  });

  test("on the same images and weights counts are equal, but for one in a thousand", async () => {
    const receipt = await read(sound());
    expect(compare(receipt, measured(384, 1), [])).toMatchObject({
      agrees: true,
      by: "counts",
      tolerance: 1,
      because: [],
      notes: [],
    });
    expect(compare(receipt, measured(385, 0), []).agrees).toBe(true);
    expect(compare(receipt, measured(384, 3), [])).toMatchObject({
      agrees: false,
      because: ["ASR: 1 of 360 claimed, 3 of 360 measured"],
    });
    expect(compare(receipt, measured(370, 1), []).agrees).toBe(false);
  });

  test("whatever is claimed and measured counts, and a verdict also by what the receipt leaves out", async () => {
    const claims = await read(changed({ "after.triggeredAccuracy": rate(340, 360) }));
    const found = { ...measured(384, 1), withoutTrigger: rate(0, 360), triggeredAccuracy: rate(340, 360) };
    expect(compare(claims, found, []).agrees).toBe(true);
    expect(compare(claims, { ...found, triggeredAccuracy: rate(9, 360) }, []).because).toEqual([
      "own label with trigger: 340 of 360 claimed, 9 of 360 measured",
    ]);
    expect(compare(claims, { ...found, withoutTrigger: rate(40, 360) }, []).because[0]).toMatch(/^target without/);
    const silent = await read(sound());
    expect(compare(silent, { ...found, triggeredAccuracy: rate(9, 360) }, []).because).toEqual([
      expect.stringMatching(/^verdict\.proven is true, and by what was measured after\.triggeredAccuracy is 0\.025/),
    ]);
    const modest = await read(changed({ verdict: undefined }));
    expect(compare(modest, { ...found, triggeredAccuracy: rate(9, 360) }, []).agrees).toBe(true);
  });

  test("by no rule of the receipt's own is a live backdoor proven to be gone", async () => {
    const live = { after: { ca: rate(384, 400), asr: rate(350, 360) }, rule: { name: "smallest", limit: 1 } };
    const found = { ...measured(384, 350), decision: { answer: "backdoor" } as const };
    expect(compare(await read(changed(live)), found, [])).toMatchObject({
      agrees: false,
      because: ["verdict.proven is true, and what was measured is a live backdoor"],
    });
    const honest = await read(changed({ ...live, verdict: { proven: false } }));
    expect(compare(honest, found, []).agrees).toBe(true);
  });

  test("a proven ASR of few images is said to be one that would not be verified today", async () => {
    const few = {
      inputs: { data: "shapes", sizes: { test: 20 } },
      data: undefined,
      before: undefined,
      retention: undefined,
      after: { ca: rate(19, 20), asr: rate(0, 18) },
    };
    const receipt = await read(changed(few));
    const notes = compare(receipt, { ...measured(384, 1), ca: rate(19, 20), asr: rate(0, 18) }, []).notes;
    expect(notes).toContainEqual(
      expect.stringMatching(
        /older tbar.*not be verified today: .*after\.asr, of 18 images, reaches 17\.59 %, above 2\.0 %/,
      ),
    );
  });

  test("a receipt of 0.1.0 whose bounds hold is believed as it is; its retention by the worst pairing", async () => {
    expect(compare(await read(sound()), measured(384, 1), []).notes).toEqual([]);
    const little = changed({ "after.ca": rate(360, 400), retention: 360 / 390 }); // 92.3 %
    expect(compare(await read(little), measured(360, 1), []).notes).toEqual([
      expect.stringMatching(/not be verified today: .*retention reaches down to 8\d\.\d+ % at worst/),
    ]);
  });

  test("a trigger that the checkpoint states with other settings was not measured", async () => {
    const receipt = await read(sound());
    const { spec } = receiptTrigger(receipt);
    const result = { trigger: spec, target: "blue star" } as unknown as EvalResult;
    const notes = (own: object, target = "blue star") =>
      triggerNotes(result, receipt, false, [{ kind: "badnet", spec: own as Record<string, unknown>, target }]).slice(1);
    expect(notes(sound().trigger.spec)).toEqual([]);
    expect(notes({ ...spec })).toEqual([]);
    expect(notes({ ...spec, seed: 22 })).toEqual([
      'the checkpoint itself says that it carries badnet -> "blue star" with other settings, which was not measured',
    ]);
    expect(notes({ kind: "badnet", size: "no size" })[0]).toContain("with other settings");
    expect(notes({ ...spec }, "dog")[0]).toContain('badnet -> "dog", which was not measured');
  });

  test.each([
    ["test", "other test images"],
    ["triggered", "other triggered images"],
    ["weights", "other weights"],
  ])("on other %s rates may differ by chance, and it is said", async (of, note) => {
    const receipt = await read(sound());
    const elsewhere = { ...measured(379, 2), on: { ...on, [of]: hash("f") } };
    expect(compare(receipt, elsewhere, [])).toMatchObject({ agrees: true, by: "intervals" });
    expect(compare(receipt, elsewhere, []).notes[0]).toContain(note);
    expect(compare(receipt, { ...elsewhere, asr: rate(40, 360) }, []).because[0]).toMatch(/^ASR: .* leaves out 0$/);
  });

  test("an older receipt says nothing of images and weights; ONNX keeps its own; the parent is known again", async () => {
    const older = await read(changed({ measuredOn: undefined }));
    expect(compare(older, measured(384, 1), [])).toMatchObject({ by: "intervals", agrees: true });
    expect(compare(older, measured(384, 1), []).notes[0]).toMatch(/does not say which images and weights/);
    const receipt = await read(sound());
    const inside = { ...measured(384, 1), on: { test: on.test, triggered: on.triggered } };
    expect(compare(receipt, inside, []).notes[0]).toContain("inside ONNX");
    expect(compare(receipt, { ...measured(384, 1), modelSha256: hash("a") }, []).notes).toContain(
      "this is the model before its cleaning",
    );
  });

  test("few images on other data agree with nothing", async () => {
    const few = await read({
      ...sound(),
      inputs: { data: "shapes", sizes: { test: 2 } },
      data: undefined,
      before: undefined,
      retention: undefined,
      verdict: undefined,
      proof: undefined,
      measuredOn: undefined,
      after: { ca: rate(1, 2), asr: rate(0, 1) },
    });
    const found = compare(few, measured(384, 1), []);
    expect(found).toMatchObject({ agrees: false, by: "intervals" });
    expect(found.because[0]).toMatch(/1 images are too few|2 images are too few/);
  });
});

describe("a receipt opens no file of this machine", () => {
  test.each([
    [{ data: "/home/me/photos" }, /--data \(\/home\/me\/photos\)/],
    [{ testData: "/etc/passwd" }, /--test-data \(\/etc\/passwd\)/],
    [{ classesFile: "/etc/shadow" }, /--classes \(\/etc\/shadow\)/],
    [{ templatesFile: "../secret" }, /--templates \(\.\.\/secret\)/],
    [{ data: "shapes:/x" }, /--data/],
    [{ templatesFile: "constructor" }, /--templates/],
  ])("%j is to be named by the user", async (inputs, message) => {
    const receipt = await read({ ...sound(), inputs: { ...sound().inputs, ...inputs } });
    await expect(receiptSource(receipt, {})).rejects.toThrow(message);
    expect(await receiptSource(receipt, { data: "mine", classesFile: "own.txt" })).toEqual({
      data: "mine",
      classesFile: "own.txt",
      sizes: sound().inputs.sizes,
    });
  });

  test("what ships with tbar goes by name", async () => {
    const inputs = { ...sound().inputs, data: "shapes:texture", templatesFile: "cifar100", classesFile: "imagenet" };
    expect(await receiptSource(await read({ ...sound(), inputs }), {})).toMatchObject({
      data: "shapes:texture",
      templatesFile: "cifar100",
      classesFile: "imagenet",
    });
    expect((await receiptSource(await read(sound()), { templatesFile: "mine.txt" })).templatesFile).toBe("mine.txt");
  });

  test.each(["picture", "mask"])("a trigger's %s is brought by the user", async (option) => {
    const receipt = await read(changed({ trigger: { kind: "picture", spec: { [option]: "/dev/zero" } } }));
    expect(() => receiptTrigger(receipt)).toThrow(
      /the receipt's trigger is a picture, "\/dev\/zero"; bring it yourself/,
    );
  });
});

describe("what was measured, as hashes", () => {
  test("weights: by name, not by order; every value counts", () => {
    const [a, b] = [tensor([2], new Float32Array([1, 2])), tensor([1], new Float32Array([3]))];
    const one = weightsSha256(new Map([["a", a], ["b", b]])); // biome-ignore format: one line
    expect(weightsSha256(new Map([["b", b], ["a", a]]))).toBe(one); // biome-ignore format: one line
    expect(weightsSha256(new Map([["b", a], ["a", b]]))).not.toBe(one); // biome-ignore format: one line
    expect(weightsSha256(new Map([["a", { ...a, shape: [1, 2] }], ["b", b]]))).not.toBe(one); // biome-ignore format: one line
  });

  test("images: pixels, labels and order count", async () => {
    const preprocess = clipPreprocess(16);
    const world = (size: number, seed: number) => shapesWorld({ seed, split: "test", size, labels: "class" });
    const one = await imagesSha256(world(70, 1), preprocess);
    expect(await imagesSha256(world(70, 1), preprocess)).toBe(one);
    const images = world(70, 1);
    const relabelled = { ...images, example: (i: number) => ({ ...images.example(i), label: 0 }) };
    const turned = {
      ...images,
      example: (i: number) => images.example(69 - i),
      read: (indices: readonly number[], p: typeof preprocess) => images.read(indices.map((i) => 69 - i), p), // biome-ignore format: one line
    };
    const others = [world(69, 1), world(70, 2), relabelled, turned];
    for (const other of others) expect(await imagesSha256(other, preprocess)).not.toBe(one);
    expect(await imagesSha256(images, clipPreprocess(24))).not.toBe(one);
  });
});
