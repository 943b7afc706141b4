/** tbar pull: models and data sets from the hub. */

import type { PullResult } from "../../jobs/pull.ts";
import { printable } from "../../tensor/printable.ts";
import { command } from "../command.ts";
import { list, withOutput } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { bytesText } from "../text.ts";

export const pullCommand = (perform: Perform) =>
  withOutput(
    command("pull", {
      summary: "fetch a model or data set from the Hugging Face hub",
      about:
        "Fetches the files of a repository at a branch, tag or commit into the cache that Python's huggingface_hub shares, goes on " +
        "where an earlier call ended, and checks every file against the hub's checksum. Models come as safetensors, json and txt.",
      notes: `Environment:
  HF_ENDPOINT      a mirror of the hub (default: https://huggingface.co)
  HF_TOKEN         for private and gated repositories; sent to the endpoint only. Else the token that hf auth login left is
  HF_HUB_CACHE     where the cache is (default: hub in HF_HOME, or ~/.cache/huggingface/hub)
  HF_HUB_OFFLINE   1: look into the cache only

Afterwards --model OWNER/NAME, or hf:OWNER/NAME@REVISION, stands for the files in the cache.`,
      examples: [
        "tbar pull openai/clip-vit-base-patch32",
        "tbar pull laion/CLIP-ViT-B-32-laion2B-s34B-b79K --include 'open_clip*' --revision main",
        "tbar pull datasets/cifar100 --include '*.parquet'",
      ],
    }),
  )
    .argument("<repository>", "OWNER/NAME, or datasets/OWNER/NAME, with @REVISION or without")
    .option("--revision <name>", "branch, tag or commit (default: main)")
    .option("--include <patterns>", "only these files, * standing for anything; several with commas", list)
    .option("--pickles", "also files that can carry code, such as .bin and .pt")
    .action((repo, { revision, include, pickles, ...values }) =>
      perform(values, async (job) => {
        const { pull } = await import("../../jobs/pull.ts");
        const result = await pull({ ...job, repo, revision, include, pickles });
        return { json: result, text: pullText(result) };
      }),
    );

function pullText({ id, revision, commit, path, files, left }: PullResult): string {
  const sum = (of: "bytes" | "fetched") => bytesText(files.reduce((total, file) => total + file[of], 0));
  return [
    `${id} at ${revision === commit ? commit : `${revision} (${commit})`}\n`,
    files.length === 0
      ? ""
      : `${files.length} files, ${sum("bytes")}, all checksums as the hub states (${sum("fetched")} fetched)\n`,
    left.length === 0
      ? ""
      : `Left out: ${left
          .slice(0, 6)
          .map((path) => printable(path))
          .join(", ")}${left.length > 6 ? `, ... (${left.length})` : ""}\n`,
    `In: ${printable(path, 4000)}\n`,
  ].join("");
}
