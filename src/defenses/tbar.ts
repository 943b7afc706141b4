/**
 * TBAR, plain: remove a backdoor by subtracting its task vector.
 * "Backdoor Unlearning by Linear Task Decomposition", arXiv 2510.14845, known attack.
 */
import { taskVector } from "../arithmetic/task-vector.ts";
import { type Defense, forgetting, subtracting } from "./defense.ts";

export const tbar: Defense = {
  name: "plain",
  title: "TBAR",
  about: "as published: the vector of triggered images only",
  paper: "arXiv 2510.14845",
  needs: [],
  cost: (sizes) => ({ trained: forgetting(sizes) }),
  async run(input) {
    const { backdoored, forget, finetune } = input;
    const tuned = await finetune(forget); // theta_{b+t}: further along the backdoor, triggered images only
    const tau = taskVector(backdoored, tuned); // tau_t = theta_{b+t} - theta_b
    return subtracting(input, tau); // theta_b - alpha tau_t
  },
};
