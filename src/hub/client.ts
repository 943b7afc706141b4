/**
 * The hub's protocol as any mirror speaks it: which commit a revision is, which files it has, and their bytes.
 * huggingface.co/docs/hub/api; the checksums are those of git (SHA-1 of a blob) and of LFS (SHA-256).
 */
import { z } from "zod";
import { parseAs } from "../files/files.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { isCommit, isSafePath, type Repo } from "./repo.ts";
import { type Answer, ask, type Hub, request } from "./request.ts";
import { Cut } from "./retry.ts";

export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** What its bytes hash to, and the name of its blob in the cache: SHA-256 of a large file, git's SHA-1 of a small one. */
  readonly hash: string;
}

const apiOf = ({ endpoint }: Hub, { kind, id }: Repo) => `${endpoint}/api/${kind}s/${id}`;

/** The commit that a revision stands for. Throws `bad-input` when there is no such repository, or the token may not read it. */
export async function commitOf(hub: Hub, repo: Repo): Promise<string> {
  const url = `${apiOf(hub, repo)}/revision/${encodeURIComponent(repo.revision)}`;
  const { value } = await ask(hub, url, repo);
  const { sha } = parseAs(z.looseObject({ sha: z.string() }), value, notHub(url));
  if (!isCommit(sha)) throw badInput(`${url} names the commit "${printable(sha, 80)}", which is none`);
  return sha;
}

const notHub = (url: string) => `${url} does not answer as the hub does`;

const entrySchema = z.looseObject({
  type: z.string(),
  path: z.string(),
  oid: z.string(),
  size: z.int().nonnegative(),
  lfs: z.looseObject({ oid: z.string(), size: z.int().nonnegative() }).nullish(),
});

const maxPages = 1000;
const maxFiles = 500_000;

/** All files of a commit. Throws `bad-input` on names that would leave the folder they go into, or that cannot all be there. */
export async function filesOf(hub: Hub, repo: Repo, commit: string): Promise<HubFile[]> {
  const files = new Map<string, HubFile>();
  let url: string | undefined = `${apiOf(hub, repo)}/tree/${commit}?recursive=true`;
  for (let page = 0; url !== undefined; page++) {
    if (page === maxPages || files.size > maxFiles)
      throw badInput(`${repo.id} has more files than ${maxPages} pages can name, or more than ${maxFiles}`);
    const { value, next }: Answer = await ask(hub, url, repo);
    for (const entry of parseAs(z.array(entrySchema), value, notHub(url))) {
      if (entry.type !== "file") continue;
      const file = hubFile(entry, repo);
      const known = files.get(file.path);
      if (known !== undefined && (known.hash !== file.hash || known.size !== file.size))
        throw badInput(`${repo.id} names ${printable(file.path)} twice, with other checksums`);
      files.set(file.path, file);
    }
    url = next;
    if (url !== undefined && new URL(url).origin !== new URL(hub.endpoint).origin)
      throw badInput(`the list of files of ${repo.id} goes on at another host, ${printable(new URL(url).host)}`);
  }
  for (const { path } of files.values()) {
    const parts = path.split("/");
    const inside = parts.slice(1).find((_, i) => files.has(parts.slice(0, i + 1).join("/")));
    if (inside !== undefined) throw badInput(`${repo.id} names ${printable(path)}, in a folder that is a file too`);
  }
  return [...files.values()];
}

function hubFile({ path, oid, size, lfs }: z.output<typeof entrySchema>, { id }: Repo): HubFile {
  const file = { path, size: lfs?.size ?? size, hash: lfs?.oid ?? oid };
  if (!isSafePath(path)) throw badInput(`${id} names a file "${printable(path)}", which is refused`);
  if (!(lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(file.hash))
    throw badInput(`${id} states no checksum of ${printable(path)} but "${printable(file.hash, 80)}"`);
  return file;
}

export interface FileStream {
  /** Where it begins: as asked, or at 0 where the server knows no ranges. */
  readonly from: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Bytes a second that a connection must bring. */
const leastRate = 1024;

/** The bytes of a file from `from` on. The stream throws `Cut` when the connection breaks, or brings too little for too long. */
export async function openFile(
  hub: Hub,
  repo: Repo,
  commit: string,
  { path }: HubFile,
  from: number,
): Promise<FileStream> {
  const name = path.split("/").map(encodeURIComponent).join("/");
  const url = `${hub.endpoint}/${repo.kind === "dataset" ? "datasets/" : ""}${repo.id}/resolve/${commit}/${name}`;
  const stalled = new AbortController();
  const { silence = 30_000 } = hub;
  const least = (leastRate * silence) / 1000;
  let [arrived, before] = [0, 0];
  const watch = setInterval(() => {
    if (arrived - before < least) stalled.abort();
    before = arrived;
  }, silence).unref();
  const why = (error: unknown) => {
    if (!stalled.signal.aborted) return (error as Error).message;
    return `${arrived === 0 ? "no byte" : `fewer than ${leastRate} bytes a second`} for ${silence / 1000} s`;
  };
  const signal = AbortSignal.any([stalled.signal, ...(hub.signal ? [hub.signal] : [])]);
  const range: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
  const response = await request({ ...hub, signal }, url, repo, range).catch((error) => {
    clearInterval(watch);
    throw stalled.signal.aborted ? new Cut(`${printable(path)}: ${why(error)}`) : error;
  });
  const begin = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (response.status === 206 && Number(begin) !== from) {
    clearInterval(watch);
    await response.body?.cancel().catch(() => {});
    throw badInput(`${url} sends bytes from ${begin} on where those from ${from} were asked for`);
  }
  async function* chunks() {
    try {
      for await (const chunk of response.body ?? []) {
        arrived += chunk.length;
        yield chunk as Uint8Array;
      }
    } catch (error) {
      throw new Cut(`${printable(path)}: ${why(error)}`);
    } finally {
      clearInterval(watch);
    }
  }
  return { from: response.status === 206 ? from : 0, chunks: chunks() };
}
