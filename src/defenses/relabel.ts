/**
 * The control that a reviewer asks for: fine-tune on triggered images labelled with the model's own clean answers, beside
 * their clean twins, and scale that vector. It moves towards the answer instead of away from the backdoor: theta_b + alpha tau_r.
 */
import { scale, taskVector } from "../arithmetic/task-vector.ts";
import { concat } from "../data/split.ts";
import { badInput } from "../tensor/error.ts";
import type { DefenseInput, Removal } from "./defense.ts";

export async function relabel({ backdoored, answered, finetune, search }: DefenseInput): Promise<Removal> {
  if (answered === undefined) {
    throw badInput("relabel needs the clean twins of the triggered images; bring the trigger instead of a folder");
  }
  const { undone, twins } = await answered();
  const tuned = await finetune(concat([undone, twins]));
  const tau = scale(taskVector(backdoored, tuned), -1); // subtracted like the others
  return { tau, search: await search(tau), settings: {} };
}
