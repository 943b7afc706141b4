/** A scan that is stopped and goes on where it was. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writePico } from "../../../test/pico.ts";
import { runJob } from "../run-job.ts";
import { scan } from "./job.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-scan-state-"));
  await writePico(join(folder, "pico"));
});
afterAll(() => rm(folder, { recursive: true }));

const asked = (state?: string) => ({
  model: join(folder, "pico"),
  data: "shapes:background",
  detectors: ["sine", "fitted-delta", "weight-statistics"],
  sizes: { fit: 16, held: 32 },
  threads: 1,
  ...(state !== undefined && { state }),
});

/** The scan, aborted when it comes to this detector; the stages that it went through. */
async function scanned(state: string, stopAt?: string) {
  const stop = new AbortController();
  const stages: string[] = [];
  const stage = (what: string) => {
    stages.push(what);
    if (what === stopAt) stop.abort(new Error("stopped"));
  };
  const result = await runJob(scan, asked(state), { progress: { stage, step: () => {} }, signal: stop.signal }).catch(
    (error: Error) => error,
  );
  return { result, stages };
}

it("killed after the first detector, it does not run it again, and ends as one run does", async () => {
  const state = join(folder, "state");
  const { result: stopped } = await scanned(state, "fitted-delta");
  expect(stopped).toBeInstanceOf(Error);
  expect(await readdir(state)).toEqual(["sine.json", "work.json"]);
  const { result, stages } = await scanned(state);
  expect(stages).not.toContain("sine");
  expect(stages).toContain("fitted-delta");
  const whole = await runJob(scan, asked());
  const statistics = ({ detectors }: typeof whole) =>
    detectors.map(({ seconds: _, ...rest }) => JSON.parse(JSON.stringify(rest)));
  expect(statistics(result as typeof whole)).toEqual(statistics(whole));
  expect(await readdir(folder)).not.toContain("state"); // it is done
});

it.each([
  ["other", (text: string) => text.replace('"recipe":"', '"recipe":"other '), "is the work of another run"],
  ["odd", (text: string) => text.replace('"name":"sine"', '"name":7'), "is no work in progress of tbar"],
  ["half", (text: string) => text.slice(0, 60), "is no work in progress of tbar"],
])("kept results that are %s are refused", async (name, change, why) => {
  const state = join(folder, name);
  await scanned(state, "fitted-delta");
  const path = join(state, "sine.json");
  await writeFile(path, change(await readFile(path, "utf8")));
  expect((await scanned(state)).result).toMatchObject({ message: expect.stringContaining(why) });
});
