/** tbar convert: other names for the same weights. */
import { keyStyles } from "../../checkpoint/names/key-styles.ts";
import type { ConvertResult } from "../../jobs/convert.ts";
import { unknownName } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import { command } from "../command.ts";
import { forceText, groups, modelPath, needed, withOutput, withReading } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { readingText } from "../text.ts";

export const convertCommand = (perform: Perform) =>
  withOutput(
    withReading(
      command("convert", {
        summary: "rename a checkpoint's tensors: OpenAI, open_clip, Hugging Face",
        about:
          "Writes a checkpoint with the names of another program, as safetensors, with the config that goes with them. Values are " +
          "cut, joined and transposed as bytes, so converting back gives the same file. Reads PyTorch's .pt and shards too.",
        examples: [
          "tbar convert ViT-B-32.pt --to hf --out clip",
          "tbar convert clip --to open_clip --out clip-open",
          "tbar convert epoch_10.pt --to openai --out epoch_10.safetensors",
        ],
        notes:
          "  openai, open_clip   OpenAI's names, which open_clip's CLIP shares\n" +
          "  open_clip-text      the same with text. before the text tower, as open_clip's CustomTextCLIP\n" +
          "  hf                  Hugging Face's CLIPModel; ResNets have no such form",
      }),
    ),
  )
    .argument("<model>", "checkpoint: a folder, .safetensors, .pt, .bin, or an index of shards")
    .optionsGroup("Names:")
    .option("--to <names>", "whose names: openai, open_clip, open_clip-text, hf", keyStyle)
    .optionsGroup(groups.output)
    .option("--out <path>", "where it goes: a folder, or a file where it ends in .safetensors")
    .option("--force", forceText)
    .action((model, { to, ignoreTensors, prefix, activation, ...values }) =>
      perform(values, async (job) => {
        const style = needed(to, "--to", `whose names? ${keyStyles.join(", ")}`);
        const out = needed(values.out, "--out", "where shall it go? A folder, or a file.safetensors");
        await checkOutputs([out], values.force, job);
        const { convertModel } = await import("../../jobs/convert.ts");
        const reading = { ignoreTensors, prefix, activation };
        const result = await convertModel(modelPath(model), {
          ...job,
          ...reading,
          to: style,
          out,
          force: values.force,
        });
        return { json: result, text: convertText(result) };
      }),
    );

function convertText(result: ConvertResult): string {
  const { architecture, tensors, leftOut, ignored = [], pixels, output } = result;
  const others = leftOut.filter((name) => !ignored.includes(name)).map((name) => printable(name, 80));
  const left = others.length === 0 ? "" : `Left out, as they hold no parameter: ${others.join(", ")}\n`;
  return `${architecture}: ${tensors} tensors\n${left}${readingText(result)}${pixels === undefined ? "" : `Pixels: ${pixels}\n`}Written: ${output.path}\n`;
}

function keyStyle(text: string) {
  const found = keyStyles.find((name) => name === text);
  if (found === undefined) throw unknownName("kind of names", text, keyStyles);
  return found;
}
