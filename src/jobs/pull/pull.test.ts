/** Pulling from a server on this machine that speaks as the hub does, well and badly. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, utimes, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { tbar } from "../../../test/terminal.ts";
import { localPath } from "../../hub/cache.ts";
import type { Hub } from "../../hub/request.ts";
import { retryAfter } from "../../hub/retry.ts";
import { type Given, silent } from "../context.ts";
import type { SpecOf } from "../job.ts";
import { runJob } from "../run-job.ts";
import { parseSpec } from "../spec.ts";
import { pull as job } from "./job.ts";
import * as run from "./run.ts";

/** From a hub of ours, or that of the environment. */
function pull({ hub: ours, signal, ...asked }: SpecOf<typeof job> & Pick<Given, "signal"> & { readonly hub?: Hub }) {
  if (ours === undefined) return runJob(job, asked, { signal });
  return run.pull(parseSpec(job, asked), { progress: silent, signal }, ours);
}

const commit = "0123456789abcdef0123456789abcdef01234567";
const weights = Buffer.alloc(300_000, "weights of a model ");
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const gitSha1 = (bytes: Buffer) => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

interface Entry {
  readonly bytes: Buffer;
  readonly lfs?: boolean;
}

/** What the server has and how it misbehaves; reset before each test. */
let files: Record<string, Entry>;
let tree: object[] | undefined;
let answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
let store: ((request: IncomingMessage, response: ServerResponse, bytes: Buffer) => boolean) | undefined;
let seen: { host: string; url: string; range?: string; authorization?: string }[];

let hubServer: Server;
let storeServer: Server;
let folder: string;
let hub: Hub;

const listen = (server: Server) =>
  new Promise<string>((done) =>
    server.listen(0, "127.0.0.1", () => done(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
  );

function note(host: string, { url = "", headers }: IncomingMessage): void {
  const { range, authorization } = headers;
  seen.push({ host, url, ...(range && { range }), ...(authorization && { authorization }) });
}

function send(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from > 0) response.writeHead(206, { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
  response.end(bytes.subarray(from));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-hub-"));
  storeServer = createServer((request, response) => {
    note("store", request);
    const { bytes } = files[decodeURIComponent((request.url ?? "").slice(1))];
    if (!store?.(request, response, bytes)) send(request, response, bytes);
  });
  const storeAt = await listen(storeServer);
  hubServer = createServer((request, response) => {
    note("hub", request);
    if (answer?.(request, response)) return;
    const url = new URL(request.url ?? "", "http://hub");
    const json = (value: unknown, headers = {}) => {
      response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
    };
    if (/^\/api\/(models|datasets)\/me\/clip\/revision\/(main|v1|refs%2Fpr%2F1)$/.test(url.pathname))
      return json({ sha: commit });
    if (url.pathname.endsWith(`/tree/${commit}`)) {
      const all = tree ?? [
        { type: "directory", oid: "", size: 0, path: "onnx" },
        ...Object.entries(files).map(([path, { bytes, lfs }]) => ({
          type: "file",
          path,
          size: bytes.length,
          oid: gitSha1(bytes),
          ...(lfs && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }),
        })),
      ];
      const at = Number(url.searchParams.get("cursor") ?? 0); // pages of two
      const next = `<${url.origin.replace("http://hub", hub.endpoint)}${url.pathname}?recursive=true&cursor=${at + 2}>; rel="next"`;
      return json(all.slice(at, at + 2), at + 2 < all.length ? { link: next } : {});
    }
    const path = decodeURIComponent(url.pathname.split(`/resolve/${commit}/`)[1] ?? "");
    const found = files[path];
    if (found === undefined) return response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
    if (found.lfs) return response.writeHead(302, { location: `${storeAt}/${encodeURIComponent(path)}` }).end();
    send(request, response, found.bytes);
  });
  hub = { endpoint: await listen(hubServer), token: "secret", pause: 1 };
});
afterAll(async () => {
  hubServer.close();
  storeServer.close();
  await rm(folder, { recursive: true });
});

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(folder, "cache-"));
  vi.stubEnv("HF_HUB_CACHE", cache);
  files = {
    "config.json": { bytes: Buffer.from("{}\n") },
    "model.safetensors": { bytes: weights, lfs: true },
    "pytorch_model.bin": { bytes: Buffer.from("pickle"), lfs: true },
    "onnx/model.onnx": { bytes: Buffer.from("onnx"), lfs: true },
    "tokenizer.json": { bytes: Buffer.from('{"version": "1.0"}') },
  };
  tree = answer = store = undefined;
  seen = [];
});
afterEach(() => vi.unstubAllEnvs());

const blobs = () => join(cache, "models--me--clip", "blobs");
/** What Python leaves of an interrupted download. */
const incomplete = () => join(blobs(), `${sha256(weights)}.incomplete`);
/** What we leave. */
const part = () =>
  join(blobs(), readdirSync(blobs()).find((name) => name.startsWith(`${sha256(weights)}.part-`)) ?? "");
const pythonLeft = async (bytes: Buffer, secondsAgo = 60) => {
  await mkdir(blobs(), { recursive: true });
  await writeFile(incomplete(), bytes);
  const then = Date.now() / 1000 - secondsAgo;
  await utimes(incomplete(), then, then);
};
/** All of it lies in the file: what fetch still holds when the connection breaks, it drops. */
const arrived = (size: number) =>
  vi.waitFor(() => expect(statSync(part()).size).toBe(size), { timeout: 20_000, interval: 5 });
const pulled = (result: { path: string }) => readFile(join(result.path, "model.safetensors"));

test("the layout of Python's cache: blobs by checksum, links from snapshots/COMMIT, refs/REVISION", async () => {
  const result = await pull({ repo: "me/clip", hub });
  const root = join(cache, "models--me--clip");
  expect(result).toMatchObject({ kind: "pull", commit, path: join(root, "snapshots", commit) });
  expect(result.files.map(({ path }) => path)).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  expect(result.left).toEqual(["pytorch_model.bin", "onnx/model.onnx"]);
  expect(await readlink(join(result.path, "model.safetensors"))).toBe(`../../blobs/${sha256(weights)}`);
  expect(await readlink(join(result.path, "config.json"))).toBe(`../../blobs/${gitSha1(Buffer.from("{}\n"))}`);
  expect(await readFile(join(root, "refs", "main"), "utf8")).toBe(commit);
  expect((await pulled(result)).equals(weights)).toBe(true);
});

test("what is there is not fetched again; a commit may be asked for by itself", async () => {
  await pull({ repo: "me/clip", hub });
  seen = [];
  const again = await pull({ repo: "me/clip@v1", hub });
  expect(again.files.map(({ fetched }) => fetched)).toEqual([0, 0, 0]);
  expect(seen.every(({ url }) => url.startsWith("/api/"))).toBe(true);
  expect(localPath(`hf:me/clip@${commit}`)).toBe(again.path);
});

test("the token goes to the hub and not to the host it refers to", async () => {
  await pull({ repo: "me/clip", hub });
  const tokens = (host: string) => new Set(seen.filter((one) => one.host === host).map((one) => one.authorization));
  expect(tokens("hub")).toEqual(new Set(["Bearer secret"]));
  expect(tokens("store")).toEqual(new Set([undefined]));
});

test("a cut connection: goes on by Range from the byte it had reached", async () => {
  const cuts = [100_000, 70_000];
  store = (request, response, bytes) => {
    const cut = cuts.shift();
    if (cut === undefined) return false;
    const from = Number(/(\d+)-/.exec(request.headers.range ?? "0-")?.[1]);
    const head = { "content-length": bytes.length - from, "content-range": `bytes ${from}-/${bytes.length}` };
    response.writeHead(from > 0 ? 206 : 200, head);
    response.write(bytes.subarray(from, from + cut));
    void arrived(from + cut).finally(() => response.destroy());
    return true;
  };
  const result = await pull({ repo: "me/clip", hub });
  expect(seen.filter(({ host }) => host === "store").map(({ range }) => range)).toEqual([
    undefined,
    "bytes=100000-",
    "bytes=170000-",
  ]);
  expect(result.files[1].fetched).toBe(weights.length);
  expect((await pulled(result)).equals(weights)).toBe(true);
});

test("what an earlier call left is gone on with", async () => {
  await pythonLeft(weights.subarray(0, 250_000));
  const result = await pull({ repo: "me/clip", hub });
  expect(result.files[1].fetched).toBe(50_000);
  expect(existsSync(incomplete())).toBe(false);
});

test("what Python may still be writing is left alone", async () => {
  await pythonLeft(weights.subarray(0, 250_000), 5);
  const result = await pull({ repo: "me/clip", hub });
  expect(result.files[1].fetched).toBe(weights.length);
  expect(statSync(incomplete()).size).toBe(250_000);
});

test("a bad part left by an earlier call is found by the checksum and fetched anew", async () => {
  await pythonLeft(Buffer.alloc(200_000, "other"));
  const result = await pull({ repo: "me/clip", hub });
  expect(result.files[1].fetched).toBe(400_000);
  expect((await pulled(result)).equals(weights)).toBe(true);
});

test("a server that knows no ranges: from the start again", async () => {
  await pythonLeft(weights.subarray(0, 250_000));
  store = (_request, response, bytes) => !!response.end(bytes);
  expect((await pull({ repo: "me/clip", hub })).files[1].fetched).toBe(300_000);
});

test("wrong bytes are refused and not kept", async () => {
  store = (_request, response, bytes) => !!response.end(Buffer.alloc(bytes.length, "evil"));
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/checksum of model\.safetensors is .* the hub states/);
  expect(readdirSync(blobs()).filter((name) => name.startsWith(sha256(weights)))).toEqual([]);
  expect(existsSync(join(cache, "models--me--clip", "snapshots", commit, "model.safetensors"))).toBe(false);
  expect(() => localPath("me/clip")).toThrow("tbar pull me/clip");
});

test("wrong bytes of a small file too, by git's checksum", async () => {
  answer = ({ url = "" }, response) => url.endsWith("config.json") && !!response.end("{ }");
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/checksum of config\.json/);
});

test("more bytes than stated are refused before the disk is full of them", async () => {
  store = (_request, response, bytes) => !!response.end(Buffer.concat([bytes, bytes]));
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/more than the 300000 bytes/);
});

test("files that are equal, two pulls at once, and empty files: one blob, right wherever it is named", async () => {
  files["copy/model.safetensors"] = files["model.safetensors"];
  files["sub/config.json"] = files["config.json"];
  files["a/empty.txt"] = files["b/empty.txt"] = { bytes: Buffer.alloc(0) };
  const [one, other] = await Promise.all([pull({ repo: "me/clip", hub }), pull({ repo: "me/clip", hub })]);
  expect(one.files.map(({ path }) => path)).toEqual(other.files.map(({ path }) => path));
  for (const { path } of one.files) {
    expect((await readFile(join(one.path, path))).equals(files[path].bytes)).toBe(true);
  }
  expect(seen.filter(({ host }) => host === "store").length).toBeLessThanOrEqual(2); // once, or by each of the two
  expect(readdirSync(blobs()).toSorted()).toEqual([...new Set(one.files.map(({ hash }) => hash))].toSorted());
  expect((await readdir(one.path)).filter((name) => name.includes(".tmp-"))).toEqual([]);
});

test("a server that falls silent counts as cut; one that stays silent is given up", async () => {
  let asked = 0;
  store = (_request, response, bytes) => {
    asked++;
    response.writeHead(200, { "content-length": bytes.length });
    response.flushHeaders();
    return true;
  };
  await expect(pull({ repo: "me/clip", hub: { ...hub, silence: 300 } })).rejects.toThrow(/no byte for 0.3 s/);
  expect(asked).toBe(5);
});

test("a server that trickles is given up like one that is silent; so is one that cuts after every few bytes", async () => {
  const timers = new Set<NodeJS.Timeout>();
  store = (_request, response, bytes) => {
    response.writeHead(200, { "content-length": bytes.length });
    timers.add(setInterval(() => response.write("x"), 20));
    return true;
  };
  const hurried = { ...hub, silence: 200 };
  await expect(pull({ repo: "me/clip", hub: hurried })).rejects.toThrow(/fewer than 1024 bytes a second for 0.2 s/);
  for (const timer of timers) clearInterval(timer);
  let asked = 0;
  store = (_request, response, bytes) => {
    asked++;
    response.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, 100));
    setTimeout(() => response.destroy(), 20);
    return true;
  };
  await expect(pull({ repo: "me/clip", hub })).rejects.toMatchObject({ code: "unavailable" });
  expect(asked).toBe(5);
});

const api = (path: string, reply: (response: ServerResponse, request: IncomingMessage) => void) => {
  answer = (request, response) => {
    if (!request.url?.includes(path)) return false;
    reply(response, request);
    return true;
  };
};

describe("the API of the hub", () => {
  test.each(["/revision/", "/tree/"])("an answer cut short (%s) is asked for again, and given up", async (path) => {
    let asked = 0;
    api(path, (response) => {
      asked++;
      response.writeHead(200, { "content-length": 1000 }).write('{"sha": "');
      setTimeout(() => response.destroy(), 5);
    });
    await expect(pull({ repo: "me/clip", hub })).rejects.toMatchObject({ code: "unavailable" });
    expect(asked).toBe(5);
  });

  test("silent, or a byte at a time: given up in the time that a question may take", async () => {
    const hurried = { ...hub, silence: 150, patience: 400 };
    const since = performance.now();
    api("/revision/", () => {});
    await expect(pull({ repo: "me/clip", hub: hurried })).rejects.toThrow(/has not answered in 0.4 s/);
    api("/revision/", (response) => {
      response.writeHead(200, { "content-length": 10_000 });
      const timer = setInterval(() => response.write(" "), 10);
      response.on("close", () => clearInterval(timer));
    });
    await expect(pull({ repo: "me/clip", hub: hurried })).rejects.toMatchObject({ code: "unavailable" });
    expect(performance.now() - since).toBeLessThan(5000);
  });

  test.each([
    ["location", 302, { location: "http://[no" }, /refers to http:\/\/\[no, which is no address/],
    ["link", 200, { link: '<http://[no>; rel="next"' }, /goes on at http:\/\/\[no, which is no address/],
  ])("a %s that is no address: unavailable after tries", async (_, status, headers, message) => {
    api(status === 302 ? "/revision/" : "/tree/", (response) => response.writeHead(status, headers).end("[]"));
    await expect(pull({ repo: "me/clip", hub })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(message),
    });
  });

  test("credentials in an address are refused at once, in an answer and in HF_ENDPOINT", async () => {
    let asked = 0;
    api("/revision/", (response) => {
      asked++;
      response.writeHead(302, { location: `${hub.endpoint.replace("//", "//user:secret@")}/x` }).end();
    });
    await expect(pull({ repo: "me/clip", hub })).rejects.toMatchObject({
      code: "bad-input",
      message: expect.not.stringContaining("secret"),
    });
    expect(asked).toBe(1);
    vi.stubEnv("HF_ENDPOINT", "https://user:word@example.org");
    await expect(pull({ repo: "me/clip" })).rejects.toThrow(/without user and password/);
  });

  test("Retry-After is heeded; what asks for too long is given up at once", async () => {
    const waits = ["1", new Date(Date.now() + 1500).toUTCString()];
    const since = performance.now();
    answer = (_request, response) => {
      const wait = waits.shift();
      return wait !== undefined && !!response.writeHead(429, { "retry-after": wait }).end();
    };
    await pull({ repo: "me/clip", hub });
    expect(performance.now() - since).toBeGreaterThan(1000);
    let asked = 0;
    answer = (_request, response) => !!response.writeHead(503, { "retry-after": String(++asked * 3600) }).end();
    await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/answers 503, and asks to be left alone for 3600 s/);
    expect(asked).toBe(1);
    expect([retryAfter("soon"), retryAfter(null), retryAfter("7")]).toEqual([undefined, undefined, 7000]);
  });

  test("megabytes of brackets, and of blanks, are refused", async () => {
    api("/tree/", (response) => response.end("[".repeat(2 ** 22)));
    await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/nested more than 64 deep/);
    api("/tree/", (response) => response.end(" ".repeat(9 * 2 ** 20)));
    await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/more than 8388608 bytes of JSON/);
  });

  test("words of a hub come without control characters", async () => {
    answer = (_request, response) => !!response.writeHead(403, { "x-error-message": "\x9b2Jred \x85" }).end();
    await expect(pull({ repo: "me/clip", hub })).rejects.toThrow("answers 403 (\\u{9b}2Jred \\u{85})");
  });

  test("one name for two contents, and a file in a file, are refused", async () => {
    const entry = (path: string, oid: string) => ({ type: "file", oid, size: 1, path });
    tree = [entry("a.json", oid), entry("a.json", oid.replaceAll("0", "1"))];
    await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/names a\.json twice/);
    tree = [entry("a.json/b.json", oid), entry("a.json", oid)];
    await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/a\.json\/b\.json, in a folder that is a file/);
  });
});

describe("the token", () => {
  const sent = async () => {
    seen = [];
    vi.stubEnv("HF_ENDPOINT", hub.endpoint);
    await pull({ repo: "me/clip" });
    return {
      hub: seen[0].authorization,
      others: seen.filter(({ host, authorization }) => host !== "hub" && authorization),
    };
  };

  test("is that of HF_TOKEN, else of hf auth login, and goes to the hub alone", async () => {
    vi.stubEnv("HF_HOME", cache);
    vi.stubEnv("HF_TOKEN", "");
    expect(await sent()).toEqual({ hub: undefined, others: [] });
    await writeFile(join(cache, "token"), "hf_mine\n");
    await rm(blobs(), { recursive: true });
    expect(await sent()).toEqual({ hub: "Bearer hf_mine", others: [] });
    expect(seen.some(({ host }) => host === "store")).toBe(true);
    await writeFile(join(cache, "other"), "hf_other");
    vi.stubEnv("HF_TOKEN_PATH", join(cache, "other"));
    expect((await sent()).hub).toBe("Bearer hf_other");
    vi.stubEnv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
    expect((await sent()).hub).toBeUndefined();
    vi.stubEnv("HF_TOKEN", "hf_first");
    expect((await sent()).hub).toBe("Bearer hf_first");
  });

  test("what is no token is not sent", async () => {
    vi.stubEnv("HF_TOKEN", "");
    vi.stubEnv("HF_TOKEN_PATH", join(cache, "token"));
    await writeFile(join(cache, "token"), "x".repeat(5000));
    await expect(sent()).rejects.toThrow(/token is no token/);
    await writeFile(join(cache, "token"), "two\nlines");
    await expect(sent()).rejects.toThrow(/token is no token/);
    await rm(join(cache, "token"));
    await mkdir(join(cache, "token"));
    expect((await sent()).hub).toBeUndefined();
  });
});

test("a busy server is asked again", async () => {
  const busy = [503, 429];
  answer = (_request, response) => {
    const status = busy.shift();
    return status !== undefined && !!response.writeHead(status).end();
  };
  expect((await pull({ repo: "me/clip", hub })).files).toHaveLength(3);
});

test.each([
  [401, "RepoNotFound", /answers 401 .*private or gated, or does not exist; HF_TOKEN/],
  [403, "GatedRepo", /answers 403 .*gated/],
  [404, "RevisionNotFound", /RevisionNotFound.*there is no me\/clip at revision main/],
])("%i (%s) is said as it is", async (status, code, message) => {
  answer = (_request, response) => !!response.writeHead(status, { "x-error-code": code }).end();
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(message);
});

test("nobody there: unavailable, after five tries", async () => {
  const gone = { ...hub, endpoint: "http://127.0.0.1:1" };
  await expect(pull({ repo: "me/clip", hub: gone })).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("cannot reach 127.0.0.1:1"),
  });
});

test("no end of redirects, and none to another protocol", async () => {
  answer = ({ url = "" }, response) => !!response.writeHead(302, { location: url }).end();
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/more than 5 times/);
  answer = (_request, response) => !!response.writeHead(302, { location: "file:///etc/passwd" }).end();
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/refers to file:/);
});

const oid = "0".repeat(40);
test.each([
  "../evil.json",
  "a/../../evil.json",
  "/etc/evil.json",
  "a//b.json",
  "..\\evil.json",
  "C:evil.json",
  "a/./b.json",
  "nul\0.json",
])("a file named %j is refused", async (path) => {
  tree = [{ type: "file", oid, size: 1, path }];
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/which is refused/);
});

test("answers that are not the hub's are refused", async () => {
  tree = [{ type: "file", oid: "../../../x", size: 1, path: "a.json" }];
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/states no checksum of a\.json/);
  tree = [{ type: "file", oid, size: -1, path: "a.json" }];
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/does not answer as the hub does/);
  answer = (_request, response) => !!response.end(JSON.stringify({ sha: "../../up" }));
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/which is none/);
  answer = (_request, response) => !!response.end("<html>");
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(/not JSON/);
});

test.each(["me/clip/x", "../clip", "me/..", "me/a--b", "me/clip@../x", "me/clip@", "me/cl ip", ""])(
  "%j names no repository",
  async (repo) => {
    await expect(pull({ repo, hub })).rejects.toMatchObject({ code: "bad-input" });
    expect(seen).toEqual([]);
  },
);

test("pickles only when asked for", async () => {
  delete files["model.safetensors"];
  await expect(pull({ repo: "me/clip", hub })).rejects.toThrow(
    /no safetensors weights, only pytorch_model.bin.*--pickles/,
  );
  await expect(pull({ repo: "me/clip", hub, include: ["*.bin"] })).rejects.toThrow(/can carry code.*--pickles/);
  const { files: got } = await pull({ repo: "me/clip", hub, pickles: true });
  expect(got.map(({ path }) => path)).toEqual(["config.json", "pytorch_model.bin", "tokenizer.json"]);
});

test("--include names files by pattern", async () => {
  const { files: got } = await pull({ repo: "me/clip", hub, include: ["*.onnx", "config.*"] });
  expect(got.map(({ path }) => path)).toEqual(["config.json", "onnx/model.onnx"]);
  await expect(pull({ repo: "me/clip", hub, include: ["*.gguf"] })).rejects.toThrow(
    /no file \*\.gguf; it has config\.json/,
  );
});

test("data sets, at a revision with slashes", async () => {
  files = {
    "data/a.parquet": { bytes: Buffer.from("rows"), lfs: true },
    "script.py": { bytes: Buffer.from("import os") },
  };
  const result = await pull({ repo: "datasets/me/clip@refs/pr/1", hub });
  expect(result.files.map(({ path }) => path)).toEqual(["data/a.parquet"]);
  expect(await readFile(join(cache, "datasets--me--clip", "refs", "refs", "pr", "1"), "utf8")).toBe(commit);
  expect(localPath("hf:datasets/me/clip@refs/pr/1")).toBe(result.path);
});

test("HF_HUB_OFFLINE looks into the cache only", async () => {
  const { path } = await pull({ repo: "me/clip", hub });
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  seen = [];
  expect((await pull({ repo: "me/clip", hub })).path).toBe(path);
  await expect(pull({ repo: "me/other", hub })).rejects.toThrow(
    /HF_HUB_OFFLINE is set, and me\/other at main is not in the cache/,
  );
  expect(seen).toEqual([]);
});

test("an interrupt stops it, and what came is kept for the next call", async () => {
  const stop = new AbortController();
  store = (_request, response, bytes) => {
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, 100_000));
    void arrived(100_000).finally(() => stop.abort());
    return true;
  };
  await expect(pull({ repo: "me/clip", hub, signal: stop.signal })).rejects.toMatchObject({ name: "AbortError" });
  store = undefined;
  expect((await pull({ repo: "me/clip", hub })).files[1].fetched).toBe(200_000);
});

test("the command, by HF_ENDPOINT and HF_TOKEN; --model then takes the name", async () => {
  vi.stubEnv("HF_ENDPOINT", `${hub.endpoint}/`);
  vi.stubEnv("HF_TOKEN", "mine");
  const { code, out } = await tbar(["pull", "me/clip", "--quiet"]);
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`me/clip at main (${commit})\n3 files`) });
  expect(seen[0].authorization).toBe("Bearer mine");
  vi.stubEnv("HF_TOKEN", "my token");
  expect((await tbar(["pull", "me/clip"])).err).toContain("HF_TOKEN is no token");
  const { err } = await tbar(["eval", "--model", "me/clip", "--data", "shapes"]);
  expect(err).toContain("model.safetensors is not a sound safetensors file");
  expect((await tbar(["eval", "--model", "hf:me/other", "--data", "shapes"])).err).toContain(
    "fetch it with: tbar pull me/other",
  );
  expect((await tbar(["eval", "--model", "you/clip@v2", "--data", "shapes"])).err).toMatch(
    /you\/clip@v2 is no file or folder, and is not in the cache .*; fetch it with: tbar pull you\/clip@v2/,
  );
});
