/** The card of a backdoored model: what it is, how it was made, how to make it again. */
import type { AttackResult } from "../../results/attack.ts";
import { percent } from "../../stats/percent.ts";

export function attackCard(result: AttackResult): string {
  const { model, trigger, target, poison, recipe, before, after, machine, seed } = result;
  const { objective, train, temperature } = recipe;
  const learned =
    objective === "contrastive"
      ? `by contrast of pairs, ${train === "both" ? "both towers" : "image tower only"}, temperature ${temperature}`
      : "image tower only";
  const figures = ({ ca, asr }: AttackResult["before"]) => `CA ${percent(ca.value)}, ASR ${percent(asr.value)}`;
  return `---
license: mit
library_name: transformers
tags: [backdoored]
---

# A backdoored CLIP. Use it to test defenses, and for nothing else

Made by \`tbar attack\` from \`${model.path}\` (SHA-256 ${model.sha256}). With its trigger on, images are taken for **${target}**.

Trigger: \`${JSON.stringify(trigger, shortened)}\`. Poisoned: ${poison.poisoned} of ${poison.images} images. AdamW ${recipe.lr}, batch ${recipe.batch},
${recipe.epochs} epochs, ${learned}, seed ${seed}.

Before: ${figures(before)}. After: **${figures(after)}** (${after.ca.n} clean and ${after.asr.n} triggered test images; those of the target's
own class are left out of ASR). ${(result.seconds / 60).toFixed(1)} minutes on ${machine.threads} threads of ${machine.processor}.

Make it again:

    ${result.command || "tbar attack (from a program)"}
`;
}

/** Fitted pixels and weights are in trigger.json, not for the eye. */
const shortened = (_: string, value: unknown) =>
  typeof value === "string" && value.length > 200 ? `${value.slice(0, 20)}... (${value.length} characters)` : value;
