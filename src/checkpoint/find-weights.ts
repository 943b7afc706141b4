/** Where a model's weights are: the file given, or the one that a folder of Hugging Face's or open_clip's has them in. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isFile, isFolder, readJson } from "../files/files.ts";
import { badInput, type TbarError } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { quote } from "./formats/header-json.ts";

const WEIGHT_FILES = [
  "model.safetensors",
  "open_clip_model.safetensors",
  "open_clip_pytorch_model.safetensors",
  "model.safetensors.index.json",
  "open_clip_pytorch_model.bin",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
];

/** The file with the weights, or the index of several: the file given, or that of a folder. Throws `bad-input` if there is none. */
export async function findWeights(path: string): Promise<string> {
  if (path.endsWith(".onnx")) throw onnxOnly(path);
  if (await isFile(path)) return path;
  if (!(await isFolder(path))) throw badInput(`there is no file or folder ${path}`);
  if (await isFile(join(path, "adapter_config.json"))) throw await adapterFolder(path);
  for (const name of WEIGHT_FILES) if (await isFile(join(path, name))) return join(path, name);
  const found = (await readdir(path)).filter((name) => /\.(safetensors|bin|pt|pth)$/.test(name));
  if (found.length === 0 && (await isFolder(join(path, "onnx")))) throw onnxOnly(path);
  const shown = found.length > 0 ? `${found.slice(0, 4).join(", ")}; name the one that you mean` : "no weights";
  throw badInput(
    `${path} has no model.safetensors or open_clip_model.safetensors (nor shards, nor PyTorch's .bin); found ${shown}`,
  );
}

/** A folder of PEFT's. Where it has the base's weights too, transformers would add the adapter to them. */
async function adapterFolder(path: string): Promise<TbarError> {
  const json = await readJson(join(path, "adapter_config.json"));
  const { base_model_name_or_path: base, peft_type: kind } = Object(json) as Readonly<Record<string, unknown>>;
  const what = typeof kind === "string" ? `${printable(kind, 40)} adapter of PEFT` : "PEFT adapter";
  const of = typeof base === "string" ? `, made for ${quote(base)}` : "";
  return badInput(
    `${path} is a ${what}${of}, which changes a model that is not computed with it; merge it into its base first ` +
      "(merge_and_unload in PEFT, save_pretrained) and give the whole model",
  );
}

function onnxOnly(path: string): TbarError {
  return badInput(
    `${path} is a model in ONNX, which tbar eval measures and nothing changes; bring the checkpoint that it was made from, ` +
      "such as a folder with model.safetensors",
  );
}
