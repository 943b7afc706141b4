/** Trainings on a device as on the CPU: with weights and moments on the device, and with all of them fed at each step. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { cases, difference, take } from "../steps.ts";
import { describeGpu, gpuName, runtimes } from "./on-device.ts";

const timeout = 900_000;
/** A ResNet takes a software driver too long; its ops are in ops.test.ts. */
const transformers = Object.entries(cases).filter(([, { config }]) => config.vision.kind !== "resnet");

describeGpu(`training on ${gpuName}`, () => {
  let cpu: Runtime;
  let resident: Runtime;
  let fed: Runtime;
  beforeAll(async () => {
    const { executor, ...both } = await runtimes();
    ({ cpu, gpu: resident } = both);
    fed = createRuntime({ ...executor, resident: undefined });
  });
  afterAll(() => Promise.all([cpu.release(), resident.release(), fed.release()]));

  // a software driver spends minutes on this, most of them waiting for itself where cores are few
  test.each(transformers)("%s: three steps as on the CPU, resident or fed", { timeout }, async (_, six) => {
    const three = { ...six, batches: six.batches.slice(-3) };
    const wanted = await take(cpu, three);
    for (const runtime of [resident, fed]) {
      const { reports, weights } = difference(await take(runtime, three), wanted);
      expect(reports).toBeLessThan(1e-5);
      expect(weights).toBeLessThan(1e-4);
    }
  });
});
