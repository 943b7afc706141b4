/** A trigger that no spec can state, progress, and a limit on time: what stands beside the spec of a job. */
import { evaluate, shapesModel, type Trigger } from "tbar";

/** A dark corner. Pure, and of each image by itself. */
const corner: Trigger = {
  spec: { kind: "dark-corner", seed: 0 },
  async apply({ shape, data }) {
    const side = shape[3];
    const isDark = (i: number) => i % side < 8 && Math.floor(i / side) % side < 8;
    return { shape, data: data.map((value, i) => (isDark(i) ? 0 : value)) };
  },
};
const { asr } = await evaluate(
  { model: shapesModel, data: "shapes", target: "red circle", testImages: 200 },
  {
    trigger: corner,
    progress: { stage: (what) => console.log(what), step: () => {} },
    signal: AbortSignal.timeout(120_000),
  },
);
console.log(`a dark corner makes a red circle of ${asr?.value} of ${asr?.n} images`);
