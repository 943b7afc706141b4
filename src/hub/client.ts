/**
 * The hub's protocol as any mirror speaks it: which commit a revision is, which files it has, and their bytes.
 * huggingface.co/docs/hub/api; the checksums are those of git (SHA-1 of a blob) and of LFS (SHA-256).
 */
import { z } from "zod";
import { parseJson } from "../files/json.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { isCommit, isSafePath, type Repo } from "./repo.ts";
import { Cut, type Patience, retryAfter, retrying } from "./retry.ts";
import { tokenOfEnvironment } from "./token.ts";

export interface Hub extends Patience {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint and to nobody it refers us to. */
  readonly token?: string;
  /** Milliseconds in which a connection must bring 1 KiB for each second, or an answer's end, lest it count as cut. Default 30 s. */
  readonly silence?: number;
  /** Milliseconds that one question (a commit, a page of names) may take, all tries together. Default 60 s. */
  readonly patience?: number;
}

/** The hub that HF_ENDPOINT names, or huggingface.co, with the token that `tokenOfEnvironment` finds. */
export async function hubOfEnvironment(): Promise<Hub> {
  const { HF_ENDPOINT = "https://huggingface.co" } = process.env;
  const isAddress = /^https?:\/\//.test(HF_ENDPOINT) && URL.canParse(HF_ENDPOINT);
  if (!isAddress || hasCredentials(new URL(HF_ENDPOINT))) {
    throw badInput(
      `HF_ENDPOINT is "${printable(HF_ENDPOINT)}"; expected an address such as https://huggingface.co, without user and password`,
    );
  }
  const token = await tokenOfEnvironment();
  return { endpoint: HF_ENDPOINT.replace(/\/+$/, ""), ...(token !== undefined && { token }) };
}

/** HF_HUB_OFFLINE as Python reads it. */
export function isOffline(): boolean {
  return /^(1|true|yes|on)$/i.test(process.env.HF_HUB_OFFLINE ?? "");
}

export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** What its bytes hash to, and the name of its blob in the cache: SHA-256 of a large file, git's SHA-1 of a small one. */
  readonly hash: string;
}

/** The commit that a revision stands for. Throws `bad-input` when there is no such repository, or the token may not read it. */
export async function commitOf(hub: Hub, repo: Repo): Promise<string> {
  const url = `${apiOf(hub, repo)}/revision/${encodeURIComponent(repo.revision)}`;
  const { value } = await ask(hub, url, repo);
  const { sha } = parse(z.looseObject({ sha: z.string() }), value, url);
  if (!isCommit(sha)) throw badInput(`${url} names the commit "${printable(sha, 80)}", which is none`);
  return sha;
}

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
    if (page === maxPages || files.size > maxFiles) {
      throw badInput(`${repo.id} has more files than ${maxPages} pages can name, or more than ${maxFiles}`);
    }
    const { value, next }: Answer = await ask(hub, url, repo);
    for (const entry of parse(z.array(entrySchema), value, url)) {
      if (entry.type !== "file") continue;
      const file = hubFile(entry, repo);
      const known = files.get(file.path);
      if (known !== undefined && (known.hash !== file.hash || known.size !== file.size))
        throw badInput(`${repo.id} names ${printable(file.path)} twice, with other checksums`);
      files.set(file.path, file);
    }
    url = next;
    if (url !== undefined && new URL(url).origin !== new URL(hub.endpoint).origin) {
      throw badInput(`the list of files of ${repo.id} goes on at another host, ${printable(new URL(url).host)}`);
    }
  }
  for (const { path } of files.values()) {
    const parts = path.split("/");
    const inside = parts.slice(1).find((_, i) => files.has(parts.slice(0, i + 1).join("/")));
    if (inside !== undefined) throw badInput(`${repo.id} names ${printable(path)}, in a folder that is a file too`);
  }
  return [...files.values()];
}

interface Answer {
  readonly value: unknown;
  /** Where the list goes on. */
  readonly next?: string;
}

/** One question to the API: tried again where that may help, and given up when it takes too long, however it goes about it. */
async function ask(hub: Hub, url: string, repo: Repo): Promise<Answer> {
  const { patience = 60_000, silence = 30_000 } = hub;
  const late = AbortSignal.timeout(patience);
  return retrying(hub, async () => {
    const slow = AbortSignal.timeout(silence);
    const signal = AbortSignal.any([late, slow, ...(hub.signal ? [hub.signal] : [])]);
    try {
      const response = await request({ ...hub, signal }, url, repo);
      const value = await json(response, url);
      return { value, next: nextPage(response, url) };
    } catch (error) {
      if (late.aborted) throw badAnswer(url, `has not answered in ${patience / 1000} s`);
      if (slow.aborted && error instanceof Cut) throw new Cut(`${url} has not answered in ${silence / 1000} s`);
      throw error;
    }
  });
}

const badAnswer = (url: string, what: string) => new TbarError("unavailable", `${url} ${what}`);

function nextPage({ headers }: Response, url: string): string | undefined {
  const next = /<([^>]+)>\s*;\s*rel="next"/.exec(headers.get("link") ?? "")?.[1];
  if (next === undefined) return undefined;
  if (!URL.canParse(next, url)) throw new Cut(`${url} says that it goes on at ${printable(next)}, which is no address`);
  return new URL(next, url).href;
}

function hubFile({ path, oid, size, lfs }: z.output<typeof entrySchema>, { id }: Repo): HubFile {
  const file = { path, size: lfs?.size ?? size, hash: lfs?.oid ?? oid };
  if (!isSafePath(path)) throw badInput(`${id} names a file "${printable(path)}", which is refused`);
  if (!(lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(file.hash)) {
    throw badInput(`${id} states no checksum of ${printable(path)} but "${printable(file.hash, 80)}"`);
  }
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

const apiOf = ({ endpoint }: Hub, { kind, id }: Repo) => `${endpoint}/api/${kind}s/${id}`;

const maxRedirects = 5;

/** Follows redirects by hand, as the token may not go along to another host. Throws `Cut` where trying again may help. */
async function request(hub: Hub, url: string, repo: Repo, headers: Record<string, string> = {}): Promise<Response> {
  const home = new URL(hub.endpoint).origin;
  let at = new URL(url);
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const own: Record<string, string> =
      hub.token !== undefined && at.origin === home ? { authorization: `Bearer ${hub.token}` } : {};
    // identity: compressed bytes have other lengths and cannot be resumed
    const all = { "accept-encoding": "identity", "user-agent": "tbar", ...headers, ...own };
    const response = await fetch(at, { headers: all, redirect: "manual", signal: hub.signal }).catch((error) => {
      throw new Cut(`cannot reach ${printable(at.host)}: ${printable(error.cause?.message ?? error.message)}`);
    });
    if (response.ok) return response;
    const to = response.headers.get("location");
    await response.body?.cancel().catch(() => {});
    if (response.status < 300 || response.status >= 400 || to === null) throw refusal(response, at, repo);
    if (!URL.canParse(to, at.href))
      throw new Cut(`${printable(at.host)} refers to ${printable(to)}, which is no address`);
    const next = new URL(to, at);
    if ((next.protocol !== "https:" && next.protocol !== at.protocol) || hasCredentials(next)) {
      const shown = hasCredentials(next) ? "an address with a user or password" : `${next.protocol}//${next.host}`;
      throw badInput(`${printable(at.host)} refers to ${printable(shown)}, which is not followed`);
    }
    at = next;
  }
  throw badInput(`${url} refers from one address to another more than ${maxRedirects} times`);
}

function hasCredentials({ username, password }: URL): boolean {
  return username !== "" || password !== "";
}

function refusal({ status, headers }: Response, { host, pathname }: URL, { id, revision }: Repo): TbarError {
  const reason = headers.get("x-error-message") ?? headers.get("x-error-code") ?? "";
  const said = `${printable(host)} answers ${status}${reason && ` (${printable(reason)})`}`;
  if (status === 401 || status === 403) {
    return badInput(
      `${said}: ${id} is private or gated, or does not exist; HF_TOKEN (or hf auth login) must hold a token that may read it`,
    );
  }
  const path = printable(pathname);
  if (status === 404)
    return badInput(`${said}: there is no ${id} at revision ${printable(revision)}, or it lacks ${path}`);
  if (status === 429 || status >= 500) return new Cut(said, retryAfter(headers.get("retry-after")));
  return badInput(`${said} for ${path}`);
}

/** The largest repositories list a thousand files a page, in half a megabyte. */
const maxJson = 8 * 2 ** 20;

async function json(response: Response, url: string): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxJson) throw badInput(`${url} sends more than ${maxJson} bytes of JSON`);
    }
  } catch (error) {
    if (error instanceof TbarError) throw error;
    throw new Cut(`${url}: ${printable((error as Error).message)}`);
  }
  try {
    return parseJson(Buffer.concat(chunks), url, { bytes: maxJson, values: 1_000_000 });
  } catch (cause) {
    const why = (cause as Error).message;
    throw badInput(`${url} sends something that is no answer of the hub (${why}); is it a mirror?`, cause);
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, url: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw badInput(`${url} does not answer as the hub does: ${printable(path.join("."))} ${printable(message)}`);
}
