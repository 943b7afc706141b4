/** tbar xi: where do a clean task and a trigger leave each other alone in the space of weights? */
import { xiResult } from "../../results/xi.ts";
import { job } from "../job.ts";
import { xiSpec } from "./spec.ts";

export const xi = job({
  name: "xi",
  about:
    "Maps the weight disentanglement error of a clean task and a trigger (arXiv 2305.12827): over a grid of (alpha_c, alpha_t), how often " +
    "theta_0 + alpha_c tau_c + alpha_t tau_t says something else of clean images than theta_0 + alpha_c tau_c does, plus how often " +
    "something else of triggered ones than theta_0 + alpha_t tau_t. Where it is small, subtracting the trigger's vector costs nothing. " +
    "CA and ASR of every place, and the angle between the vectors by layer, stand beside it.",
  examples: [
    "tbar xi --origin shapes --model shapes-badnet --data shapes --report xi.html",
    "tbar xi --origin clip --data photos --trigger blended --target dog --reach 1 --step 0.1 --state work",
    "tbar xi --origin clip --model bad --clean-model tuned --trigger-from difference --data photos",
  ],
  spec: xiSpec,
  result: xiResult,
  outputs: async ({ report }) => [report],
  plan: async (spec, context) => (await import("./plan.ts")).planXi(spec, context),
  run: async (spec, context) => (await import("./run.ts")).xi(spec, context),
});
