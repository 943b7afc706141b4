/** What the results of jobs say to eyes, loaded when there is something to show. */
import type { View } from "../job-command.ts";

export const views: Readonly<Record<string, () => Promise<View<never>>>> = {
  clean: async () => (await import("./clean.ts")).cleanText,
  demo: async () => (await import("./clean.ts")).demoText,
  scan: async () => (await import("./scan.ts")).scanText,
  "scan calibrate": async () => (await import("./scan-calibrate.ts")).calibrationText,
  eval: async () => (await import("./eval.ts")).evalText,
  xi: async () => (await import("./xi.ts")).xiText,
  attack: async () => (await import("./attack.ts")).attackText,
  pretrain: async () => (await import("./models.ts")).pretrainText,
  finetune: async () => (await import("./models.ts")).finetuneText,
  "vector diff": async () => (await import("./vector.ts")).vectorText,
  "vector apply": async () => (await import("./vector.ts")).applyText,
  "vector info": async () => (await import("./vector.ts")).vectorText,
  "vector cosine": async () => (await import("./vector.ts")).cosineText,
  inspect: async () => (await import("./inspect.ts")).inspectText,
  convert: async () => (await import("./models.ts")).convertText,
  pull: async () => (await import("./files.ts")).pullText,
  export: async () => (await import("./models.ts")).exportText,
  "trigger show": async () => (await import("./files.ts")).triggerText,
  embed: async () => (await import("./files.ts")).embedText,
  report: async () => (await import("./files.ts")).reportText,
  merge: async () => (await import("./models.ts")).mergeText,
  "sweep run": async () => (await import("./sweep.ts")).sweepRunText,
  "sweep status": async () => (await import("./sweep.ts")).sweepStatusText,
  "sweep table": async () => (await import("./sweep.ts")).sweepTableText,
};
