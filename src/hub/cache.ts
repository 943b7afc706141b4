/**
 * The cache that Python's huggingface_hub keeps, shared with it: models--OWNER--NAME/blobs/HASH, snapshots/COMMIT/PATH (links to
 * the blobs) and refs/REVISION (the commit it stood for). huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
import { existsSync, readFileSync } from "node:fs";
import { copyFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { makeFolder } from "../files/folder.ts";
import { abandonedIn, letGo, temporaryName } from "../files/temporary.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { isCommit, isRepoId, parseRepo, type Repo } from "./repo.ts";

/** HF_HOME, or ~/.cache/huggingface: where Python's tools keep their cache and the token of `hf auth login`. */
export function hubHome(): string {
  const { HF_HOME, XDG_CACHE_HOME } = process.env;
  return HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
}

/** HF_HUB_CACHE, or hub/ in HF_HOME, or ~/.cache/huggingface/hub. */
export const cacheFolder = (): string => process.env.HF_HUB_CACHE || join(hubHome(), "hub");

export function repoFolder({ kind, id }: Repo): string {
  return join(cacheFolder(), `${kind}s--${id.replace("/", "--")}`);
}

export const blobPath = (repo: Repo, hash: string): string => join(repoFolder(repo), "blobs", hash);
export const snapshotPath = (repo: Repo, commit: string): string => join(repoFolder(repo), "snapshots", commit);
export const refPath = (repo: Repo): string => join(repoFolder(repo), "refs", repo.revision);

/** The folder with the files of a revision, if it was pulled. */
export function cachedSnapshot(repo: Repo): string | undefined {
  const commit = isCommit(repo.revision) ? repo.revision : refOf(repo);
  const path = commit && snapshotPath(repo, commit);
  return path && existsSync(path) ? path : undefined;
}

function refOf(repo: Repo): string | undefined {
  try {
    const commit = readFileSync(refPath(repo), "utf8").trim();
    return isCommit(commit) ? commit : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The path that a name typed for a model or data set stands for: `hf:OWNER/NAME[@REVISION]` is its snapshot in the cache, and so
 * is plain OWNER/NAME where no such path exists. Throws `bad-input` when what may be a name of the hub is in neither place.
 */
export function localPath(name: string): string {
  const explicit = name.startsWith("hf:");
  if (!explicit && (!name.includes("/") || !isRepoId(name.replace(/@.*/, "")) || existsSync(name))) return name;
  const repo = parseRepo(name);
  const found = cachedSnapshot(repo);
  if (found !== undefined) return found;
  const bare = name.replace(/^hf:/, "");
  const isFileName = /\.(safetensors|bin|pth?|onnx|json)$/i.test(repo.id);
  if (isFileName && !explicit) return name; // no model is called so: it is a path, and missing
  const elsewhere = explicit ? "" : "is no file or folder, and ";
  throw badInput(
    `${printable(name)} ${elsewhere}is not in the cache ${cacheFolder()}; fetch it with: tbar pull ${printable(bare)}`,
  );
}

/** Clears away what killed calls left of links to these paths. */
export async function clearLinks(snapshot: string, paths: readonly string[]): Promise<void> {
  for (const folder of new Set(paths.map((path) => dirname(join(snapshot, path))))) {
    for (const stale of await abandonedIn(folder, "tmp")) await rm(stale, { force: true });
  }
}

/** Makes `snapshot`/`path` stand for a blob: a relative link, or a copy on systems that do not let us link. */
export async function linkBlob(snapshot: string, path: string, blob: string): Promise<void> {
  const link = join(snapshot, path);
  const target = relative(dirname(link), blob);
  if ((await readlink(link).catch(() => undefined)) === target) return;
  await makeFolder(dirname(link));
  const temporary = temporaryName(link, "tmp");
  try {
    await symlink(target, temporary).catch(() => copyFile(blob, temporary));
    await rename(temporary, link);
  } finally {
    await rm(temporary, { force: true });
    letGo(temporary);
  }
}
