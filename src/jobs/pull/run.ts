/** Fetching a model or data set from the hub into the cache that Python's tools share. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { concurrently } from "../../data/formats/concurrently.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import { makeFolder } from "../../files/folder.ts";
import {
  blobPath,
  cachedSnapshot,
  cacheFolder,
  clearLinks,
  linkBlob,
  refPath,
  repoFolder,
  snapshotPath,
} from "../../hub/cache.ts";
import { commitOf, filesOf, type HubFile } from "../../hub/client.ts";
import { download } from "../../hub/download.ts";
import { isCommit, parseRepo, type Repo } from "../../hub/repo.ts";
import { type Hub, hubOfEnvironment, isOffline } from "../../hub/request.ts";
import { selectFiles } from "../../hub/select.ts";
import type { PullResult } from "../../results/pull.ts";
import { badInput } from "../../tensor/error.ts";
import type { Context } from "../context.ts";
import type { PullSpec } from "./spec.ts";

const head = { schema: "tbar/pull/2", kind: "pull" } as const;

/** Files fetched at a time. */
const connections = 4;

/**
 * Fetch the files of a revision, each checked against the hub's checksum, going on with what an earlier call left unfinished. A
 * revision's name is stored only when all its files are there. Unless `given`, the hub is that of HF_ENDPOINT, with the token of
 * HF_TOKEN or `hf auth login`. With HF_HUB_OFFLINE only the cache is looked into. Throws `bad-input` when the repository, revision or
 * files cannot be had, `unavailable` when the hub cannot be reached.
 */
export async function pull(
  spec: PullSpec,
  { progress, signal }: Pick<Context, "progress" | "signal">,
  given?: Hub,
): Promise<PullResult> {
  signal?.throwIfAborted();
  const repo = parseRepo(spec.repo, spec.revision);
  if (isOffline()) return fromCache(repo);
  const hub = { ...(given ?? (await hubOfEnvironment())), ...(signal && { signal }) };
  progress.stage("list");
  const commit = await commitOf(hub, repo);
  const all = await filesOf(hub, repo, commit);
  const chosen = selectFiles(all, repo, spec);
  const groups = byHash(chosen);
  const total = groups.reduce((sum, [{ size }]) => sum + size, 0);
  await checkSpace(repo, total);

  progress.stage("fetch");
  const snapshot = snapshotPath(repo, commit);
  const names = new Set(chosen.map(({ path }) => path));
  await clearLinks(snapshot, [...names]);
  const files: PullResult["files"][number][] = [];
  let done = 0;
  await concurrently(groups, connections, async (same) => {
    for (const [i, file] of same.entries()) {
      signal?.throwIfAborted();
      const arrived = (bytes: number) => progress.step(mebibytes((done += bytes)), mebibytes(total), "MiB");
      const fetched = await download({ hub, repo, commit }, file, arrived);
      if (i === 0) done += file.size - fetched;
      await linkBlob(snapshot, file.path, blobPath(repo, file.hash));
      files.push({ path: file.path, bytes: file.size, hash: file.hash, fetched });
    }
  });
  if (!isCommit(repo.revision)) {
    await makeFolder(dirname(refPath(repo)));
    await writeFileAtomic(refPath(repo), commit, { force: true });
  }
  return {
    ...head,
    repo: repo.kind,
    id: repo.id,
    revision: repo.revision,
    commit,
    path: snapshot,
    files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
    left: all.map(({ path }) => path).filter((path) => !names.has(path)),
  };
}

/** Files of the same bytes together: their blob is fetched once. */
function byHash(files: readonly HubFile[]): HubFile[][] {
  const groups = new Map<string, HubFile[]>();
  for (const file of files) groups.set(file.hash, [...(groups.get(file.hash) ?? []), file]);
  return [...groups.values()];
}

const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20);

function fromCache(repo: Repo): PullResult {
  const path = cachedSnapshot(repo);
  if (path === undefined)
    throw badInput(`HF_HUB_OFFLINE is set, and ${repo.id} at ${repo.revision} is not in the cache ${cacheFolder()}`);
  const { kind, id, revision } = repo;
  return { ...head, repo: kind, id, revision, commit: path.slice(-40), path, files: [], left: [] };
}

async function checkSpace(repo: Repo, bytes: number): Promise<void> {
  await makeFolder(repoFolder(repo));
  const { bavail, bsize } = await statfs(cacheFolder());
  if (bavail * bsize >= bytes) return;
  throw badInput(
    `${repo.id} needs ${mebibytes(bytes)} MiB, and ${cacheFolder()} has ${mebibytes(bavail * bsize)} MiB left; HF_HUB_CACHE names another place`,
  );
}
