/** tbar pretrain: a small CLIP from nothing. */
import { duration } from "../../report/numbers.ts";
import { unknownName } from "../../tensor/error.ts";
import { command } from "../command.ts";
import { estimateOutcome } from "../estimate.ts";
import {
  count,
  countOrNone,
  forceText,
  groups,
  images,
  needed,
  number,
  positive,
  sourceOf,
  withData,
  withOutput,
  withRun,
} from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { rateText, table } from "../text.ts";

export const pretrainCommand = (perform: Perform) =>
  withOutput(
    withRun(
      withData(
        command("pretrain", {
          summary: "train a small CLIP on images and captions, from nothing",
          about:
            "Contrastive training of both towers on captioned images (labels become captions by the templates), a word-level " +
            "vocabulary, and a Hugging Face folder as the result. Its state is kept in OUT.state: the same command " +
            "goes on where a run was stopped or killed. The defaults make the model that ships with tbar.",
          examples: [
            "tbar pretrain --data shapes --out clip",
            "tbar pretrain --data captions.csv --image-size 112 --patch-size 16 --steps 20000 --out clip",
            "tbar pretrain --data shapes --out clip --dry-run",
          ],
        }),
      ),
    ),
  )
    .optionsGroup("Training:")
    .option("--steps <number>", "training steps", count, 8000)
    .option("--batch <number>", "images a step", count, 128)
    .option("--lr <rate>", "learning rate at its highest", positive, 1e-3)
    .option("--warmup <steps>", "over which it rises", countOrNone, 100)
    .option("--weight-decay <number>", "of matrices", number({ least: 0 }), 0.1)
    .option("--images <number>", "training images (default: all; of shapes as many as there are)", images)
    .option("--captions <path>", "captioned images to train on as well")
    .option("--test <number>", "held-out images to measure on", images, 2000)
    .optionsGroup("Model:")
    .option("--image-size <pixels>", "side of an image", count, 56)
    .option("--patch-size <pixels>", "side of a patch", count, 8)
    .option("--width <number>", "of the image tower", count, 128)
    .option("--layers <number>", "of the image tower", count, 6)
    .option("--heads <number>", "of the image tower", count, 4)
    .option("--text-width <number>", "of the text tower", count, 128)
    .option("--text-layers <number>", "of the text tower", count, 2)
    .option("--text-heads <number>", "of the text tower", count, 4)
    .option("--embed-dim <number>", "width of the joint space", count, 128)
    .option("--context-length <tokens>", "longest caption", count, 16)
    .option("--dtype <name>", "stored as F16, BF16 or F32", dtype, "F16")
    .optionsGroup(groups.output)
    .option("--out <folder>", "where the checkpoint goes")
    .option("--state <file>", "where the state of the run is kept (default: OUT.state)")
    .option("--force", forceText)
    .action((values) =>
      perform(values, async (job) => {
        const { test, state, dryRun, ...rest } = sourceOf(values);
        const out = needed(values.out ?? (dryRun && "clip"), "--out", "where shall the checkpoint go?");
        await checkOutputs([out], values.force, job);
        const options = { ...rest, ...job, out, testImages: test, ...(state !== undefined && { stateFile: state }) };
        if (dryRun) {
          const { estimatePretraining } = await import("../../jobs/plans.ts");
          return estimateOutcome(await estimatePretraining(options));
        }
        const { pretrainModel } = await import("../../jobs/pretrain.ts");
        const result = await pretrainModel(options);
        const { ca, imagesPerSecond, seconds, output, parameters } = result;
        const rows = [
          [
            "zero-shot accuracy",
            ca === undefined ? "not measured: no classes" : `${rateText(ca)}, ${ca.n} held-out images`,
          ],
          ["parameters", parameters.toLocaleString("en-US")],
          ["training", `${duration(seconds)}, ${Math.round(imagesPerSecond)} images/s`],
          ["written", output.path],
        ];
        return { json: result, text: table(rows) };
      }),
    );

const dtypes = ["F16", "BF16", "F32"] as const;

function dtype(text: string): (typeof dtypes)[number] {
  const known = dtypes.find((name) => name === text.toUpperCase());
  if (known === undefined) throw unknownName("dtype", text, dtypes);
  return known;
}
