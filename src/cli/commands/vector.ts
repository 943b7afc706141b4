/** tbar vector: arithmetic on checkpoints by hand. */
import type { VectorResult } from "../../jobs/vector/vector.ts";
import { alphaText } from "../../report/numbers.ts";
import { command } from "../command.ts";
import { forceText, modelPath, needed, number, withOutput, withReading } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { bytesText, readingText, table } from "../text.ts";

export const vectorCommand = (perform: Perform) =>
  command("vector", {
    summary: "make, apply, describe and compare task vectors",
    about:
      "A task vector is the difference of two checkpoints' weights, tau = TO - FROM, kept as float32 in a safetensors file.",
    examples: [
      "tbar vector diff clip backdoored --out tau.safetensors",
      "tbar vector apply cleaned cleaned.vector.safetensors --out restored",
      "tbar vector apply backdoored tau.safetensors --alpha=-0.5 --out half",
    ],
  })
    .addCommand(diff(perform))
    .addCommand(apply(perform))
    .addCommand(info(perform))
    .addCommand(cosine(perform));

const diff = (perform: Perform) =>
  withOutput(
    withReading(
      command("diff", {
        summary: "tau = TO - FROM",
        about: "Subtracts the weights of one checkpoint from those of another of the same architecture.",
        examples: ["tbar vector diff clip backdoored --out tau.safetensors"],
      }),
    ),
  )
    .argument("<from>", "checkpoint")
    .argument("<to>", "checkpoint")
    .option("--out <file>", "where the vector goes")
    .option("--force", forceText)
    .action((from, to, values) =>
      perform(values, async (job) => {
        const out = needed(values.out, "--out", "where shall the vector go?");
        await checkOutputs([out], values.force, job);
        const { diffModels } = await import("../../jobs/vector/vector.ts");
        const { json: _json, quiet: _quiet, debug: _debug, ...rest } = values;
        const result = await diffModels(modelPath(from), modelPath(to), out, { ...job, ...rest });
        return { json: result, text: vectorText(result) };
      }),
    );

const apply = (perform: Perform) =>
  withOutput(
    withReading(
      command("apply", {
        summary: "MODEL + alpha VECTOR",
        about:
          "Adds alpha times a vector to a checkpoint, in float32, and stores the sum as the checkpoint was. A vector left by " +
          "tbar clean knows its alpha: applied to the cleaned model without --alpha it gives the parent back. Subtract with --alpha=-1.",
        examples: [
          "tbar vector apply cleaned cleaned.vector.safetensors --out restored",
          "tbar vector apply backdoored tau.safetensors --alpha=-1.5 --out cleaned",
        ],
      }),
    ),
  )
    .argument("<model>", "checkpoint")
    .argument("<vector>", "file of tbar vector diff or tbar clean")
    .option("--alpha <number>", "factor (default: that of the vector, or 1)", number({}))
    .option("--out <path>", "where the sum goes: a folder, or a file where MODEL is one")
    .option("--force", forceText)
    .action((model, vector, { alpha, ...values }) =>
      perform(values, async (job) => {
        const out = needed(values.out, "--out", "where shall the sum go?");
        await checkOutputs([out], values.force, job);
        const { applyVector } = await import("../../jobs/vector/vector.ts");
        const { json: _json, quiet: _quiet, debug: _debug, ...rest } = values;
        const result = await applyVector(modelPath(model), vector, out, { ...job, alpha, ...rest });
        const floored = result.floored ? `Running variances below zero, set to zero: ${result.floored}\n` : "";
        const { listed } = await import("../../jobs/inputs/model-facts.ts");
        const again = result.brought ? `It carries a backdoor again: ${listed(result.brought)}\n` : "";
        const still = result.declared
          ? `It declares what ${model} declares: ${listed(result.declared)}; tbar eval measures whether that is so\n`
          : "";
        const sum = `${model} + ${alphaText(result.alpha)} ${vector}\n`;
        const text = `${sum}${floored}${again}${still}${readingText(result)}Written: ${out}\n`;
        return { json: result, text };
      }),
    );

const info = (perform: Perform) =>
  withOutput(
    command("info", {
      summary: "what a vector changes, and how far",
      about: "Norms of a vector and of its parts, its alpha, and the SHA-256 of the weights it starts from.",
      examples: ["tbar vector info cleaned.vector.safetensors --json"],
    }),
  )
    .argument("<vector>", "file")
    .action((vector, values) =>
      perform(values, async () => {
        const { vectorInfo } = await import("../../jobs/vector/vector.ts");
        const result = await vectorInfo(vector);
        return { json: result, text: vectorText(result) };
      }),
    );

const cosine = (perform: Perform) =>
  withOutput(
    command("cosine", {
      summary: "the angle between two vectors",
      about:
        "Cosine similarity over all values; a tensor that only one of the vectors changes counts as nought in the other.",
      examples: ["tbar vector cosine a.safetensors b.safetensors"],
    }),
  )
    .argument("<a>", "file")
    .argument("<b>", "file")
    .action((a, b, values) =>
      perform(values, async () => {
        const { vectorCosine } = await import("../../jobs/vector/vector.ts");
        const result = await vectorCosine(a, b);
        return { json: result, text: `${result.cosine.toFixed(6)}\n` };
      }),
    );

function vectorText(result: VectorResult): string {
  const { path, bytes, alpha, parent, backdoors = [], tensors, values, norm, groups } = result;
  const facts = [
    ["file", `${path} (${bytesText(bytes)})`],
    ["changes", `${tensors} tensors, ${values.toLocaleString("en-US")} values`],
    ["norm", norm.toPrecision(4)],
    ...(alpha === undefined ? [] : [["alpha", String(alpha)]]),
    ...(parent === undefined ? [] : [["from", `SHA-256 ${parent}`]]),
    ...backdoors.map(({ trigger, target, adding }) => [
      "backdoor",
      `${trigger.kind} -> "${target}": adding the vector ${adding} it, subtracting it ${adding === "implants" ? "removes" : "implants"} it`,
    ]),
  ];
  const parts = groups.map((group) => [`  ${group.name}`, group.norm.toPrecision(4)]);
  return `${table(facts)}${readingText(result)}\nNorms by part:\n${table(parts)}`;
}
