/**
 * TBAR's vector of the image tower's last linear map alone (ours). The map from features to embeddings is where triggered images are led to the target's
 * text: a step along the backdoor that only it may take holds next to nothing of the task, and needs no backward pass through the tower.
 */
import { taskVector } from "../arithmetic/task-vector.ts";
import { type Defense, forgetting, subtracting } from "./defense.ts";

export const lastMap: Defense = {
  name: "last-map",
  title: "TBAR, last map (ours)",
  about: "the vector of the image tower's last linear map alone",
  needs: ["a last linear map"],
  cost: (sizes) => ({ trained: 0, encoded: forgetting({ ...sizes, learned: false }) }), // a step is a forward pass
  async run(input) {
    const tuned = await input.finetune(input.forget, { modules: "projection" });
    return subtracting(input, taskVector(input.backdoored, tuned));
  },
};
