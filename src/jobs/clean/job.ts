/** tbar clean: remove a backdoor, whose trigger is known or not, and verify it. */
import { defenses } from "../../defenses/index.ts";
import { isFile } from "../../files/files.ts";
import { cleanResult } from "../../results/clean.ts";
import { modelPath } from "../inputs/names.ts";
import { job } from "../job.ts";
import { type CleanSpec, cleanSpec } from "./spec.ts";

const lines = defenses.map(({ name, about, paper, control }) => {
  const what = control ? `rival: ${about}` : about;
  return `  ${name.padEnd(16)}  ${what}${paper ? ` (${paper})` : ""}`;
});

export const clean = job({
  name: "clean",
  about:
    "Fine-tunes on triggered images (the forget set), takes the change of weights as the trigger's vector, and subtracts " +
    "alpha times that vector; alpha and the defense are chosen on validation images. Test images, which took " +
    "no part in it, decide whether the backdoor is gone (ASR at most 2 %), the model whole (CA kept to 90 %) and triggered images " +
    "answered rightly (at least half as often as clean ones, or as --clean-control lets expect); what counts are the 95 % bounds. Without a live backdoor nothing is trained. " +
    "With --objective contrastive the forget set is pairs of triggered image and target caption, and both towers change. " +
    "Writes the checkpoint as it came (layout, precision), a receipt, and the vector, with which the step can be undone.",
  notes: `Methods (the best on validation wins, whatever its name; tbar, the default, is plain and erase, and where these do not
suffice on validation images anchored and fisher; all is every one that the images allow; with --unknown a rival wins only if it is named alone):
${lines.join("\n")}

Rules for alpha (--limit):
  verified    the choice holds on test images too: there the 95 % upper bound of ASR is at most the limit (0.02)
  retain      least ASR where CA is at least the limit (0.95) times CA before
  smallest    the smallest alpha with ASR at most the limit (0.02)
  difference  the largest CA - ASR
  agreement   the largest alpha where CA is at least the limit (0.97) times CA before; the usual one with --unknown

Of an unknown attack (--unknown): a quick scan names the target, triggers that lead to it are recovered by larger fits, the methods run on
these, and the cleaned model is scanned again; up to --rounds, as long as a target is found or recovered triggers still work. Beside TBAR's
family run regressed and invertune; the latter is chosen where they no longer work after it. Where the scan finds no target, nothing is written and the exit code
is 1. ASR is then that of recovered triggers. A trigger that the checkpoint's metadata name is measured at the end alone.`,
  examples: [
    "tbar clean --model shapes-badnet --data shapes --out cleaned --report cleaned.html",
    "tbar clean --model clip --data photos --trigger badnet:place=middle --target dog --lr 1e-5 --out cleaned",
    "tbar clean --objective contrastive --model bad --data shapes --out cleaned",
    "tbar clean --unknown --model shapes-badnet --data shapes --out cleaned",
    "tbar clean --model clip.safetensors --data val.csv --trigger triggered/ --target dog --out cleaned.safetensors",
  ],
  spec: cleanSpec,
  result: cleanResult,
  outputs: cleanOutputs,
  plan: async (spec, context) => (await import("./plan.ts")).planClean(spec, context),
  run: async (spec, context) => (await import("./run.ts")).clean(spec, context),
  resumes: ({ unknown }) => !unknown,
  succeeded: ({ verdict }) => verdict.verified === true,
});

/** OUT, its vector, the receipt (in a folder it lies inside), the report. */
export async function cleanOutputs({ model, out, report }: Pick<CleanSpec, "model" | "out" | "report">) {
  const receipt = out !== undefined && (await isFile(modelPath(model))) ? `${out}.receipt.json` : undefined;
  return [out, out && `${out}.vector.safetensors`, receipt, report];
}
