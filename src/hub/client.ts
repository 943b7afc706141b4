/**
 * The hub's protocol as any mirror speaks it: which commit a revision is, which files it has, and their bytes.
 * huggingface.co/docs/hub/api; the checksums are those of git (SHA-1 of a blob) and of LFS (SHA-256).
 */
import { z } from "zod";
import { parseJson } from "../files/json.ts";
import { badInput, type TbarError } from "../tensor/error.ts";
import { isCommit, isSafePath, type Repo } from "./repo.ts";
import { Cut, type Patience } from "./retry.ts";

export interface Hub extends Patience {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint and to nobody it refers us to. */
  readonly token?: string;
  /** Milliseconds without a byte after which a connection counts as cut. Default 30 s. */
  readonly silence?: number;
}

/** The hub that HF_ENDPOINT names, or huggingface.co, with the token of HF_TOKEN. */
export function hubOfEnvironment(): Hub {
  const { HF_ENDPOINT = "https://huggingface.co", HF_TOKEN } = process.env;
  if (!/^https?:\/\//.test(HF_ENDPOINT) || !URL.canParse(HF_ENDPOINT)) {
    throw badInput(`HF_ENDPOINT is "${HF_ENDPOINT}"; expected an address such as https://huggingface.co`);
  }
  const token = HF_TOKEN?.trim();
  if (token && !/^[\x21-\x7e]+$/.test(token))
    throw badInput("HF_TOKEN is no token: it has blanks or characters beyond ASCII");
  return { endpoint: HF_ENDPOINT.replace(/\/+$/, ""), ...(token && { token }) };
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
  const { sha } = parse(z.looseObject({ sha: z.string() }), await json(await request(hub, url, repo)), url);
  if (!isCommit(sha)) throw badInput(`${url} names the commit "${sha.slice(0, 80)}", which is none`);
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

/** All files of a commit. Throws `bad-input` on names that would leave the folder they go into. */
export async function filesOf(hub: Hub, repo: Repo, commit: string): Promise<HubFile[]> {
  const files: HubFile[] = [];
  let url: string | undefined = `${apiOf(hub, repo)}/tree/${commit}?recursive=true`;
  for (let page = 0; url !== undefined; page++) {
    if (page === maxPages) throw badInput(`${repo.id} has more files than ${maxPages} pages can name`);
    const response: Response = await request(hub, url, repo);
    for (const entry of parse(z.array(entrySchema), await json(response), url)) {
      if (entry.type === "file") files.push(hubFile(entry, repo));
    }
    const next: string | undefined = /<([^>]+)>\s*;\s*rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
    url = next && new URL(next, url).href;
    if (url !== undefined && new URL(url).origin !== new URL(hub.endpoint).origin) {
      throw badInput(`the list of files of ${repo.id} goes on at another host, ${new URL(url).host}`);
    }
  }
  return files;
}

function hubFile({ path, oid, size, lfs }: z.output<typeof entrySchema>, { id }: Repo): HubFile {
  const file = { path, size: lfs?.size ?? size, hash: lfs?.oid ?? oid };
  if (!isSafePath(path)) throw badInput(`${id} names a file ${JSON.stringify(path.slice(0, 200))}, which is refused`);
  if (!(lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(file.hash)) {
    throw badInput(`${id} states no checksum of ${path} but "${file.hash.slice(0, 80)}"`);
  }
  return file;
}

export interface FileStream {
  /** Where it begins: as asked, or at 0 where the server knows no ranges. */
  readonly from: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** The bytes of a file from `from` on. The stream throws `Cut` when the connection breaks or says nothing for too long. */
export async function openFile(
  hub: Hub,
  repo: Repo,
  commit: string,
  { path }: HubFile,
  from: number,
): Promise<FileStream> {
  const name = path.split("/").map(encodeURIComponent).join("/");
  const url = `${hub.endpoint}/${repo.kind === "dataset" ? "datasets/" : ""}${repo.id}/resolve/${commit}/${name}`;
  const quiet = new AbortController();
  const { silence = 30_000 } = hub;
  const timer = setTimeout(() => quiet.abort(), silence).unref();
  const signal = AbortSignal.any([quiet.signal, ...(hub.signal ? [hub.signal] : [])]);
  const range: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
  const response = await request({ ...hub, signal }, url, repo, range);
  const begin = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (response.status === 206 && Number(begin) !== from) {
    throw badInput(`${url} sends bytes from ${begin} on where those from ${from} were asked for`);
  }
  async function* chunks() {
    try {
      for await (const chunk of response.body ?? []) {
        timer.refresh();
        yield chunk as Uint8Array;
      }
    } catch (error) {
      throw new Cut(`${path}: ${quiet.signal.aborted ? `no byte for ${silence / 1000} s` : (error as Error).message}`);
    } finally {
      clearTimeout(timer);
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
      throw new Cut(`cannot reach ${at.host}: ${error.cause?.message ?? error.message}`);
    });
    if (response.ok) return response;
    const to = response.headers.get("location");
    await response.body?.cancel();
    if (response.status < 300 || response.status >= 400 || to === null) throw refusal(response, at, repo);
    const next = new URL(to, at);
    if (next.protocol !== "https:" && next.protocol !== at.protocol) {
      throw badInput(`${at.host} refers to ${next.protocol}//${next.host}, which is not followed`);
    }
    at = next;
  }
  throw badInput(`${url} refers from one address to another more than ${maxRedirects} times`);
}

function refusal({ status, headers }: Response, { host, pathname }: URL, { id, revision }: Repo): TbarError {
  const reason = headers.get("x-error-message") ?? headers.get("x-error-code") ?? "";
  const said = `${host} answers ${status}${reason && ` (${reason.slice(0, 200)})`}`;
  if (status === 401 || status === 403) {
    return badInput(
      `${said}: ${id} is private or gated, or does not exist; HF_TOKEN must hold a token that may read it`,
    );
  }
  if (status === 404) return badInput(`${said}: there is no ${id} at revision ${revision}, or it lacks ${pathname}`);
  if (status === 429 || status >= 500) return new Cut(said);
  return badInput(`${said} for ${pathname}`);
}

const maxJson = 8 * 2 ** 20;

async function json(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxJson) throw badInput(`${response.url} sends more than ${maxJson} bytes of JSON`);
  }
  try {
    return parseJson(Buffer.concat(chunks), response.url, { bytes: maxJson });
  } catch (cause) {
    throw badInput(`${response.url} sends something that is not JSON; is it a mirror of the hub?`, cause);
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, url: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw badInput(`${url} does not answer as the hub does: ${path.join(".")} ${message}`);
}
