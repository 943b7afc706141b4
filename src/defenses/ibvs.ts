/**
 * IBVS (arXiv 2510.08016; after its abstract, no code is public): subtract the vector of a backdoor of one's own. Fine-tune once on clean
 * images, once on the same with a patch of ours on as many; what the second learned beyond the first is taken for the direction of all
 * backdoors. It needs no trigger. Ours: the patch, that it leads to the suspected target, and the search for alpha.
 */
import { taskVector } from "../arithmetic/task-vector.ts";
import { concat } from "../data/split.ts";
import { random } from "../tensor/random.ts";
import { paste } from "../triggers/inverted.ts";
import { triggered } from "../triggers/poison.ts";
import { stampTrigger } from "../triggers/trigger.ts";
import { type Defense, subtracting } from "./defense.ts";

/** Side of the patch, as a share of the image's. */
const share = 1 / 8;

/** A square of uniform noise in the upper left corner. */
export const ownPatch = stampTrigger({ kind: "own-patch", seed: 0 }, (S) => {
  const side = Math.max(2, Math.round(share * S));
  const square = new Float32Array(3 * side * side);
  random("ibvs").fillUniform(square);
  return (image) => paste(image, S, square, side, 0, 0);
});

export const ibvs: Defense = {
  name: "ibvs",
  title: "IBVS",
  about: "the vector of a backdoor of one's own, fine-tuned in beside clean images",
  paper: "arXiv 2510.08016",
  needs: ["clean images"],
  control: true,
  cost: ({ clean, epochs }) => ({ trained: 3 * clean * epochs }),
  async run(input) {
    const target = input.forget.example(0).label as number;
    const clean = await input.finetune(input.clean);
    const both = await input.finetune(
      concat([input.clean, triggered(input.clean, ownPatch, target, { templates: input.templates })]),
    );
    return subtracting(input, taskVector(clean, both));
  },
};
