/** Images of other classes than the target: what a trigger is fitted to, and what carries it while it is implanted. */
import { batches } from "../data/batches.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { triggered } from "../triggers/poison.ts";
import type { AttackInput, ImplantInput } from "./attack.ts";

type Attacker = Pick<AttackInput, "clip" | "clean" | "target" | "seed"> & Pick<ImplantInput, "trigger">;

/** [batch, 3, S, S] without the trigger, one for each of `steps`. Throws TbarError where there are none. */
export async function* otherImages(
  attacker: Attacker,
  { batch, steps }: { readonly batch: number; readonly steps: number },
): AsyncGenerator<Tensor> {
  const { clean } = triggered(attacker.clean, attacker.trigger, attacker.target);
  let step = 0;
  for await (const pixels of whole(clean, batch, attacker.seed, attacker)) {
    if (step++ === steps) return;
    yield pixels;
  }
}

/** Training batches with endless [count, 3, S, S] beside them, the trigger on. */
export async function* withTriggered<Batch>(
  main: AsyncIterable<Batch>,
  attacker: Attacker,
  count: number,
): AsyncGenerator<Batch & { readonly triggered: Tensor }> {
  const images = triggered(attacker.clean, attacker.trigger, attacker.target);
  const beside = whole(images, count, attacker.seed + 1, attacker);
  try {
    for await (const batch of main) yield { ...batch, triggered: (await beside.next()).value };
  } finally {
    await beside.return(undefined);
  }
}

/** Endless, each of the same size. */
async function* whole(
  images: AttackInput["clean"],
  most: number,
  seed: number,
  { clip }: Pick<AttackInput, "clip">,
): AsyncGenerator<Tensor> {
  const batch = Math.min(most, images.size);
  const order = { batch, seed, epochs: Number.POSITIVE_INFINITY, preprocess: clip.preprocess };
  for await (const { pixels, count } of batches(images, order)) if (count === batch) yield pixels;
}
