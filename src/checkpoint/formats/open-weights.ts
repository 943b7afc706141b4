/** Weights in whatever format a file is: told by its first bytes, not by its name. */
import { extname } from "node:path";
import { closing, readBytes, withFile } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { openSafetensors } from "./safetensors.ts";
import { openSharded } from "./sharded.ts";
import type { TensorFile } from "./tensor-file.ts";
import { openTorchFile } from "./torch-file.ts";

/** `pickle` is PyTorch's format before 1.6, or a bare pickle. */
export type Format = "safetensors" | "sharded" | "torch" | "pickle";

/** The format, or undefined for a file of another kind. Throws `bad-input` when there is no such file. */
export async function detectFormat(path: string): Promise<Format | undefined> {
  if (path.endsWith(".index.json")) return "sharded";
  const head = await withFile(path, async (file) => readBytes(file, 0, Math.min(9, (await file.stat()).size), path));
  if (head[8] === 0x7b) return "safetensors"; // {
  if (Buffer.from(head.subarray(0, 4)).toString("latin1") === "PK\x03\x04") return "torch";
  if (head[0] === 0x80 && head[1] <= 5) return "pickle";
  return extname(path) === ".safetensors" ? "safetensors" : undefined;
}

/**
 * Open a .safetensors file, a PyTorch archive, or an index of several. Throws `bad-input` when it is unsound, or of a format that is
 * not read, saying what to do about it.
 */
export async function openWeights(path: string): Promise<TensorFile> {
  const format = await detectFormat(path);
  if (format === "sharded") return openSharded(path, openWeights);
  if (format === "safetensors") return openSafetensors(path);
  if (format === "torch") return openTorchFile(path);
  if (format === "pickle") {
    throw badInput(
      `${path} is a pickle without an archive, as torch.save wrote before PyTorch 1.6, which is not read; ` +
        "where you trust it, load it in PyTorch with weights_only=True and save it again, best as safetensors",
    );
  }
  throw badInput(
    `${path} holds no weights that tbar reads; known: .safetensors, PyTorch's .pt, .pth and .bin (zip archives)`,
  );
}

export const withTensors = <T>(path: string, work: (file: TensorFile) => Promise<T>) =>
  closing(openWeights(path), work);
