/** tbar embed: embeddings to a file. */
import { command } from "../command.ts";
import { estimateOutcome } from "../estimate.ts";
import { forceText, groups, images, inputsOf, needed, withImages, withModel, withOutput, withRun } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { warningText } from "../text.ts";

export const embedCommand = (perform: Perform) =>
  withOutput(
    withRun(
      withImages(
        withModel(
          command("embed", {
            summary: "write embeddings of images and texts to a file",
            about:
              "Encodes every image of a data set, and the lines of a text file, as unit-norm embeddings: tensors `images` [N, E] and " +
              "`texts` [M, E] of a safetensors file, whose metadata holds ids, labels, class names and texts as JSON lists.",
            examples: [
              "tbar embed --model clip --data photos --out photos.safetensors",
              "tbar embed --model shapes --data shapes --images 100 --texts prompts.txt --out shapes.safetensors",
            ],
          }),
        ),
      ),
    ),
  )
    .optionsGroup(groups.inputs)
    .option("--texts <file>", "texts to encode, one a line")
    .option("--images <number>", "only the first ones (default: all; 1000 of shapes)", images)
    .optionsGroup(groups.output)
    .option("--out <file>", "where the embeddings go")
    .option("--force", forceText)
    .action((values) =>
      perform(values, async (job) => {
        const { out, dryRun, ...rest } = inputsOf(values);
        if (!dryRun) needed(out, "--out", "where shall the embeddings go?");
        await checkOutputs([out], values.force, job);
        const options = { ...rest, ...job, out: out ?? "embeddings.safetensors" };
        if (dryRun) {
          const { estimateEmbedding } = await import("../../jobs/plans.ts");
          return estimateOutcome(await estimateEmbedding(options));
        }
        const { embedDataset } = await import("../../jobs/embed.ts");
        const result = await embedDataset(options);
        const texts = result.texts === 0 ? "" : ` and ${result.texts} texts`;
        return {
          json: result,
          text: `${result.images} images${texts}, ${result.width} values each\n${warningText(result.warnings)}Written: ${out}\n`,
        };
      }),
    );
