/** A cleaning without knowledge of the attack that is stopped and goes on where it was. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backdooredFolder, world } from "../../../../test/backdoored-pico.ts";
import type { CleanResult } from "../../../results/clean.ts";
import { runJob } from "../../run-job.ts";
import { clean } from "../job.ts";

const at = backdooredFolder();

const cleaning = {
  ...world,
  unknown: true,
  suspect: "mint",
  methods: ["fisher"],
  recipe: { lr: 1e-3, epochs: 2, batch: 16 },
  sizes: { forget: 64, clean: 64, validation: 200, test: 200 },
  recovery: 0,
  checks: 0,
  rounds: 1,
};

/** The cleaning, aborted when it comes to this stage for the given time; the stages that it went through. */
async function cleaned(more: object, stopAt?: string, time = 1) {
  const stop = new AbortController();
  const stages: string[] = [];
  const stage = (what: string) => {
    stages.push(what);
    if (stages.filter((one) => one === stopAt).length === time) stop.abort(new Error("stopped"));
  };
  const asked = { ...cleaning, model: at("bad"), ...more };
  const result = await runJob(clean, asked, { progress: { stage, step: () => {} }, signal: stop.signal }).catch(
    (error: Error) => error,
  );
  return { result, stages };
}

test("stopped in a search and in the scan after it, it repeats neither scan nor training, and ends as one run does", async () => {
  const state = at("state");
  const asked = { state, out: at("cleaned") };
  const searching = await cleaned(asked, "fisher: alpha", 2);
  expect(searching.result).toMatchObject({ message: "stopped" });
  expect(searching.stages).toContain("fitted-patch");
  expect(await readdir(at(""))).not.toContain("cleaned");

  const scanning = await cleaned(asked, "fitted-delta");
  expect(scanning.result).toMatchObject({ message: "stopped" });
  expect(scanning.stages.indexOf("fitted-patch")).toBeGreaterThan(scanning.stages.indexOf("fisher: test"));
  const files = await readdir(state);
  expect(files).toContain("scan-fitted-patch.json");
  const of = (name: RegExp) => files.filter((file) => name.test(file)).length;
  expect(of(/^round-1-class-\d+-proxies\.json$/)).toBe(1);
  expect(of(/^round-1-class-\d+-tuned-\d\.safetensors$/)).toBe(2);
  expect(of(/^round-1-class-\d+-scan-.*\.json$/)).toBeGreaterThan(0);

  const { result, stages } = await cleaned(asked);
  expect(stages.filter((one) => one === "fitted-patch")).toHaveLength(0);
  expect(stages.filter((one) => one === "fitted-delta")).toHaveLength(1);
  expect(await readdir(at(""))).not.toContain("state"); // it is done
  const whole = await cleaned({ out: at("whole") });
  expect(figures(result)).toEqual(figures(whole.result));
}, 120_000);

test("another class that is suspected finds the scan done; other methods are those of another run", async () => {
  const state = at("other");
  await cleaned({ state }, "recover triggers");
  const { stages } = await cleaned({ state, suspect: "moss" }, "recover triggers");
  expect(stages).toContain("recover triggers");
  expect(stages).not.toContain("fitted-patch");
  const { result } = await cleaned({ state, methods: ["plain"] });
  expect(result).toMatchObject({ message: expect.stringContaining("is the work of another run") });
}, 120_000);

test.each([
  ["another form", (text: string) => text.replace(/"form":"\w+"/, '"form":"odd"'), /unknown form|odd/],
  [
    "a share above 1",
    (text: string) => text.replace(/"asr":\{"value":[^,]+/, '"asr":{"value":7'),
    /is no work in progress/,
  ],
  ["a pattern of other numbers", (text: string) => text.replace(/"values":"[^"]{9}/, '"values":"'), /values|bytes/],
])(
  "kept triggers with %s are refused",
  async (name, change, why) => {
    const state = at(name);
    await cleaned({ state }, "fisher");
    const [file] = (await readdir(state)).filter((file) => file.endsWith("proxies.json"));
    const path = join(state, file);
    const [before, after] = [await readFile(path, "utf8"), change(await readFile(path, "utf8"))];
    expect(after).not.toBe(before);
    await writeFile(path, after);
    const { result } = await cleaned({ state });
    expect(result).toMatchObject({ code: "bad-input", message: expect.stringMatching(why) });
  },
  60_000,
);

function figures(result: CleanResult | Error) {
  if (result instanceof Error) throw result;
  const { alpha, before, after, rounds, truth, measuredOn, verdict } = result;
  return JSON.parse(JSON.stringify({ alpha, before, after, rounds, truth, measuredOn, verdict }));
}
