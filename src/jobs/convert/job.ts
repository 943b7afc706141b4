/** tbar convert: the same weights under the names that other programs look for. */
import { convertResult } from "../../results/convert.ts";
import { job } from "../job.ts";
import { convertSpec } from "./spec.ts";

export const convert = job({
  name: "convert",
  about:
    "Writes a checkpoint with the names of another program, as safetensors, with the config that goes with them. Values are " +
    "cut, joined and transposed as bytes, so converting back gives the same file. Reads PyTorch's .pt and shards too.",
  notes:
    "  openai, open_clip   OpenAI's names, which open_clip's CLIP shares\n" +
    "  open_clip-text      the same with text. before the text tower, as open_clip's CustomTextCLIP\n" +
    "  hf                  Hugging Face's CLIPModel; ResNets have no such form",
  examples: [
    "tbar convert ViT-B-32.pt --to hf --out clip",
    "tbar convert clip --to open_clip --out clip-open",
    "tbar convert epoch_10.pt --to openai --out epoch_10.safetensors",
  ],
  spec: convertSpec,
  result: convertResult,
  outputs: async ({ out }) => [out],
  run: async (spec, context) => (await import("./run.ts")).convert(spec, context),
});
