/** Questions to a hub, over connections that break and to servers that send on: with patience, within bounds, the token told to nobody else. */
import { parseJson } from "../files/json.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import type { Repo } from "./repo.ts";
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
export const isOffline = (): boolean => /^(1|true|yes|on)$/i.test(process.env.HF_HUB_OFFLINE ?? "");

export interface Answer {
  readonly value: unknown;
  /** Where the list goes on. */
  readonly next?: string;
}

/** One question to the API: tried again where that may help, and given up when it takes too long, however it goes about it. */
export async function ask(hub: Hub, url: string, repo: Repo): Promise<Answer> {
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

const maxRedirects = 5;

/** Follows redirects by hand, as the token may not go along to another host. Throws `Cut` where trying again may help. */
export async function request(
  hub: Hub,
  url: string,
  repo: Repo,
  headers: Record<string, string> = {},
): Promise<Response> {
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

const hasCredentials = ({ username, password }: URL): boolean => username !== "" || password !== "";

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
