/**
 * Ours: a perturbation under which all images are taken for one class, whichever that is. It minimises the entropy of the mean prediction,
 * from several starts; towards a backdoor's target there is a short way, and which start finds it is a matter of chance. With more steps
 * or a larger bound clean models give way too: both belong to the figure.
 */
import { pixelGradients } from "../engine/pixel-gradients.ts";
import { adam } from "../optim/adam.ts";
import { random } from "../tensor/random.ts";
import { descend, named, pickedAt, type Stamped } from "./descend.ts";
import type { Detector, DetectorInput, Finding } from "./detector.ts";
import { headed } from "./fitted.ts";
import { delta } from "./forms/delta.ts";
import { grown } from "./growth.ts";
import { entropyOfMean } from "./losses.ts";

/** Beyond these steps, or this bound, clean models give way as well. The learning rate is high: with half of it the target was not found. */
const settings = { epsilon: 16 / 255, lr: 8 / 255, steps: 30, images: 32, starts: 5 };
/** From this growth on further starts add nothing. */
const enough = 0.9;

export const collapse: Detector = {
  name: "collapse",
  title: "Collapse",
  about: "a perturbation of at most 16/255 under which all images are taken for one class, no matter which",
  statistic: "highest growth of a class's share of the answers under such a perturbation, of five starts",
  needs: ["class names"],
  cost: ({ fit, held }) => ({
    gradients: settings.starts * settings.steps * Math.min(fit, settings.images),
    encoded: settings.starts * held,
  }),
  run,
};

async function run(input: DetectorInput): Promise<Finding> {
  const { fit, seed, signal, report } = input;
  const suspect = headed(input.suspect);
  const form = delta(suspect.clip.config.vision.imageSize, settings.epsilon);
  const [count] = fit.pixels.shape;
  const engine = pixelGradients(suspect.clip, suspect.weights, entropyOfMean);
  const optimizer = adam();
  const found: Stamped[] = [];
  const growths: number[] = [];
  let done = 0;
  try {
    for (let start = 0; start < settings.starts && !(growths.at(-1)! >= enough); start++) {
      const parameters = form.start(random(seed, "collapse", start));
      const state = optimizer.init(named(parameters));
      for (let step = 0; step < settings.steps; step++) {
        signal?.throwIfAborted();
        const picked = pickedAt(count, settings.images, seed, "collapse", start, step);
        const { head } = suspect;
        const { gradients } = await descend(engine, [{ form, parameters }], fit.pixels, picked, { head });
        optimizer.update(named(parameters), named(gradients[0]), state, settings.lr);
        form.project?.(parameters);
        report?.((done += picked.length));
      }
      found.push({ form, parameters });
      const [{ statistic }] = await grown(input, [{ form, parameters }]);
      growths.push(statistic);
    }
  } finally {
    await engine.release();
  }
  const suspects = await grown(input, found);
  return {
    statistic: suspects[0]?.statistic ?? 0,
    suspects,
    facts: Object.fromEntries(growths.map((growth, i) => [`start${i + 1}`, growth])),
  };
}
