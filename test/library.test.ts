/** Every job is a function of the library, with the spec that the command has. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as tbar from "../src/index.ts";
import { jobs } from "../src/jobs/index.ts";
import { runJob } from "../src/jobs/run-job.ts";

const { vector } = tbar;
/** By the name of the job. Those that are called as the job is are found by themselves. */
const functions: Readonly<Record<string, unknown>> = {
  ...tbar,
  embed: tbar.embedDataset, // `embed` takes a model at hand
  report: tbar.reportFile, // `report` draws a result at hand
  export: tbar.exportOnnx,
  eval: tbar.evaluate,
  "trigger show": tbar.showTrigger,
  "scan calibrate": tbar.calibrateScan,
  ...Object.fromEntries(Object.entries(vector).map(([name, run]) => [`vector ${name}`, run])),
};

it.each(Object.keys(jobs))("%s is one, and refuses what the command refuses", async (name) => {
  const ask = functions[name] as (spec: object) => Promise<unknown>;
  const job = await jobs[name].load();
  const refusal = await runJob(job, { nonsense: 1 }).catch((error) => error);
  expect(refusal).toMatchObject({ name: "TbarError", code: "bad-input" });
  await expect(ask({ nonsense: 1 })).rejects.toThrow((refusal as Error).message);
});

describe("they take names, and options that are left out are as usual", () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tbar-library-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("embedDataset", async () => {
    const asked = { model: "shapes", data: "shapes", images: 4, out: at("e.safetensors"), threads: 1 };
    expect(await tbar.embedDataset(asked, { command: "as asked" })).toMatchObject({
      schema: "tbar/embed/2",
      images: 4,
      width: 128,
      command: "as asked",
      model: { path: "shapes" },
      opened: { data: { data: { name: "shapes" } } },
    });
    await expect(tbar.embedDataset(asked)).rejects.toThrow("exists already");
  });

  it("showTrigger, also one that no spec can state", async () => {
    const named = await tbar.showTrigger({ model: "shapes-badnet", data: "shapes", count: 2, out: at("a.png") });
    expect(named).toMatchObject({ trigger: { kind: "badnet" }, images: 2, size: 56 });
    const spec = { kind: "badnet" as const, size: 5, place: "middle" as const };
    const stated = await tbar.showTrigger({ trigger: spec, data: "shapes", size: 20, out: at("b.png") });
    expect(stated).toMatchObject({ trigger: { ...spec, seed: 0 }, images: 8, size: 20 });
    expect(stated.changed).toBeCloseTo(25 / 400, 2);
    const dark: tbar.Trigger = {
      spec: { kind: "dark", seed: 0 },
      apply: async ({ shape, data }) => ({ shape, data: data.map((v) => v / 2) }),
    };
    const own = await tbar.showTrigger({ data: "shapes", size: 20, out: at("c.png") }, { trigger: dark });
    expect(own).toMatchObject({ trigger: { kind: "dark" } });
    expect(own.largest).toBeGreaterThan(0.4);
  });

  it.each([
    [null, "the second argument must be an object"],
    [{ progress: {} }, "progress must have the functions stage and step"],
    [{ signal: 5 }, "signal must be an AbortSignal"],
    [{ trigger: (pixels: unknown) => pixels }, "trigger must be { spec: { kind, ... }, apply(pixels, ids) }"],
  ])("a second argument of %j is refused before anything is opened", async (given, message) => {
    const asked = tbar.showTrigger({ data: "shapes", size: 20, out: at("d.png") }, given as never);
    await expect(asked).rejects.toMatchObject({ code: "bad-input", message: expect.stringContaining(message) });
  });

  it("progress may be an object of a class", async () => {
    class Said {
      readonly stages: string[] = [];
      stage(what: string) {
        this.stages.push(what);
      }
      step() {}
    }
    const progress = new Said();
    await tbar.evaluate({ model: "shapes", data: "shapes", testImages: 20 }, { progress });
    expect(progress.stages).toContain("clean accuracy");
  });

  it("embed: nothing has no rows, and pixels are as many as their shape says", async () => {
    const clip = await tbar.loadClip(tbar.shapesModel);
    const none = { shape: [0, clip.config.embedDim], data: new Float32Array(0) };
    expect(await tbar.embed(clip, [])).toEqual(none);
    expect(await tbar.embed(clip, { shape: [0, 3, 56, 56], data: new Float32Array(0) })).toEqual(none);
    const short = tbar.embed(clip, { shape: [2, 3, 56, 56], data: new Float32Array(10) });
    await expect(short).rejects.toThrow("10 values are not those of pixels [2,3,56,56]");
    await clip.runtime.release();
  });

  it("reportFile draws what report draws", async () => {
    const stored = new URL("../src/jobs/report/clean-0.1.0.json", import.meta.url).pathname;
    await tbar.reportFile({ result: stored, out: at("page.html") });
    expect(await readFile(at("page.html"), "utf8")).toContain("Made by tbar 0.1.0.");
  });
});
