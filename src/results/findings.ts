/** What a scan finds, one by one: of the weights and of the file that they lie in, under rules whose names stay. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { type Frozen, maybe } from "./field.ts";

/** How grave it is: an error fails a scan, a warning by itself does not. */
export type Level = "error" | "warning";

export interface Rule {
  readonly level: Level;
  readonly title: string;
  readonly about: string;
}

/** Every rule by its name, whether it ever fires or not. Names and meanings stay: other programs keep them. */
export const rules = {
  "tbar/backdoor": {
    level: "error",
    title: "The weights carry a backdoor",
    about: "A trigger fitted with a small budget sends images of other classes to this class, which clean models do not allow.",
  },
  "tbar/inconclusive": {
    level: "warning",
    title: "The scan could not tell",
    about: "The evidence does not suffice, or the architecture is none that error rates were measured on.",
  },
  "tbar/pickle": {
    level: "error",
    title: "A pickle does what weights need not",
    about: "Whoever unpickled the file would import or call what no file of weights needs. Nothing of it was run.",
  },
  "tbar/other-reading": {
    level: "error",
    title: "The file can be read as something else",
    about: "To a program that asks for another format first it is a pickle, an archive or a compressed stream.",
  },
  "tbar/script": {
    level: "warning",
    title: "The file holds code beside its weights",
    about: "A TorchScript archive, the place for layers of one's own: torch.jit.load would run its code, which is not read here.",
  },
  "tbar/unknown-tensors": {
    level: "warning",
    title: "Tensors that nothing is known of",
    about: "They were left out on request: what they would do is not computed, and so not scanned.",
  },
} as const satisfies Readonly<Record<string, Rule>>; // biome-ignore format: a sentence each
export type RuleName = keyof typeof rules;

export const finding = z.looseObject({
  rule: z.enum(Object.keys(rules) as [RuleName, ...RuleName[]]).describe("Names stay as they are."),
  level: z.enum(["error", "warning"]).describe("An error fails the scan unless it is accepted."),
  message: z.string(),
  target: maybe(z.string(), "Class that the backdoor leads to."),
  fingerprint: z.string().describe("SHA-256 of rule, SHA-256 of the weights, and target: what --baseline accepts."),
  accepted: maybe(z.string(), "The reason why --baseline accepts it; such a finding fails nothing."),
});
export type Finding = Frozen<z.output<typeof finding>>;

export const codeFacts = z.looseObject({
  official: maybe(z.string(), "Whose file it is, when its makers published this hash of it."),
  refused: maybe(z.string(), "Why the model in it cannot be opened; then nothing of its weights is known."),
  findings: z.array(finding).describe("Of the file, whatever the weights do."),
});
export type CodeFacts = Frozen<z.output<typeof codeFacts>>;

/** A finding of this rule in these weights. `about` stands for the target where there is none. */
export function findingOf(
  rule: RuleName,
  sha256: string,
  { message, target, about = "" }: { readonly message: string; readonly target?: string; readonly about?: string },
): Finding {
  const fingerprint = createHash("sha256")
    .update([rule, sha256, target ?? about].join("\n"))
    .digest("hex");
  return { rule, level: rules[rule].level, message, ...(target !== undefined && { target }), fingerprint };
}
