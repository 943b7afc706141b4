/** Which files of a repository are fetched: those that can only be read, never run, unless the user says otherwise. */
import { matchesGlob } from "../files/glob.ts";
import { badInput } from "../tensor/error.ts";
import type { HubFile } from "./client.ts";
import type { Repo } from "./repo.ts";

/** What a model is made of, and what data are made of. */
const usual: Readonly<Record<Repo["kind"], RegExp>> = {
  model: /\.(safetensors|json|txt)$|(^|\/)(README\.md|LICENSE)$/i,
  dataset:
    /\.(safetensors|jsonl?|txt|csv|tsv|parquet|tar|tar\.gz|tgz|jpe?g?|jfif|png|webp|bmp|gif|tiff?|avif|p[pgbn]m)$|(^|\/)(README\.md|LICENSE)$/i,
};

/** Files that other programs execute when they read them. */
const pickles = /\.(bin|pt|pth|ckpt|pkl|pickle|joblib|npy|npz|h5|keras|pb|msgpack|py)$/i;

export interface Selection {
  /** Patterns of paths, * standing for anything, in place of the usual files. */
  readonly include?: readonly string[];
  /** Also files that can carry code: PyTorch's .bin and .pt. */
  readonly pickles?: boolean;
}

/**
 * The files to fetch. With `pickles` and no patterns, .bin and .pt as well. Throws `bad-input` when none is left, or when a
 * pattern asks for a pickle that is not allowed.
 */
export function selectFiles(
  files: readonly HubFile[],
  { kind, id }: Repo,
  selection: Selection = {},
): readonly HubFile[] {
  const { include, pickles: allowed = false } = selection;
  const wanted = ({ path }: HubFile) =>
    include === undefined
      ? usual[kind].test(path) || (allowed && /\.(bin|pt|pth)$/i.test(path))
      : include.some((pattern) => matchesGlob(path, pattern));
  const chosen = files.filter(wanted);
  const refused = chosen.find(({ path }) => !allowed && pickles.test(path));
  if (refused !== undefined)
    throw badInput(`${id}: ${refused.path} can carry code that other programs run; if you trust it, pass --pickles`);
  if (
    kind === "model" &&
    include === undefined &&
    !chosen.some(({ path }) => /\.(safetensors|bin|pt|pth)$/i.test(path))
  ) {
    const others = files.map(({ path }) => path).filter((path) => /\.(bin|pt|pth|onnx)$/i.test(path));
    const advice = others.some((path) => pickles.test(path)) ? "; --pickles fetches PyTorch's" : "";
    throw badInput(
      `${id} has no safetensors weights${others.length > 0 ? `, only ${others.slice(0, 3).join(", ")}` : ""}${advice}`,
    );
  }
  if (chosen.length > 0) return chosen;
  const shown = files.slice(0, 5).map(({ path }) => path);
  throw badInput(
    `${id} has no file ${include?.join(" or ") ?? "that is fetched unasked"}; it has ${shown.join(", ") || "none"}`,
  );
}
