/**
 * BadNet-Stripes (Singh, Croce, Hein, arXiv 2412.00727): BadNet's square, each of its columns in one colour, every channel of it
 * +1 or -1 with equal chance. The default clamps -1 to 0; with `quantise` it wraps to 1/255, as in the reference code.
 */
import { z } from "zod";
import { random } from "../tensor/random.ts";
import { stampTrigger, type Trigger } from "../triggers/trigger.ts";
import { describe, parseSpec, triggerSchema } from "./attack.ts";
import { checkPlace, type Patch, patchOptions, patchStamp } from "./patch.ts";

const schema = triggerSchema("stripes").extend({
  ...patchOptions,
  /** Colours anew for every image (as the reference code does), or the same for all. */
  redraw: z.boolean().default(true),
});

export type StripesSpec = z.output<typeof schema>;

/** A trigger that writes a striped square. Throws TbarError on unknown options, and on `apply` where it does not fit. */
export function stripes(options: Partial<StripesSpec> = {}): Trigger {
  const spec = parseSpec("stripes", schema, options);
  checkPlace(spec);
  return stampTrigger(spec, (S) => patchStamp(spec, S, (side) => patchOf(spec, side)));
}

export const attack = describe({
  name: "stripes",
  title: "BadNet-Stripes",
  about: "a square of striped columns",
  options: "as badnet",
  paper: "arXiv 2412.00727",
  spec: schema,
  trigger: stripes,
});

function patchOf({ redraw, seed, quantise }: StripesSpec, side: number): Patch {
  const [low, high] = [quantise ? -1 : 0, 1];
  const patch = new Float32Array(3 * side * side);
  const draw = (...path: string[]) => {
    const stream = random(seed, "stripes", "pattern", ...path);
    for (let c = 0; c < 3; c++) {
      const colors = Array.from({ length: side }, () => (stream.uniform() < 0.5 ? low : high));
      for (let row = 0; row < side; row++) patch.set(colors, (c * side + row) * side);
    }
    return patch;
  };
  return redraw ? (_, id) => draw(id) : draw();
}
