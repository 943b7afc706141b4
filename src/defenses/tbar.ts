/**
 * TBAR, plain: remove a backdoor by subtracting its task vector.
 * "Backdoor Unlearning by Linear Task Decomposition", arXiv 2510.14845, known attack.
 */
import { taskVector } from "../arithmetic/task-vector.ts";
import type { DefenseInput, Removal } from "./defense.ts";

export async function tbar({ backdoored, forget, finetune, search }: DefenseInput): Promise<Removal> {
  const tuned = await finetune(forget); // theta_{b+t}: further along the backdoor, triggered images only
  const tau = taskVector(backdoored, tuned); // tau_t = theta_{b+t} - theta_b
  return { tau, search: await search(tau), settings: {} }; // theta_b - alpha tau_t
}
