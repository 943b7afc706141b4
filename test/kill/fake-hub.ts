/** A hub on this machine with one repository, me/pico: two large files, two small ones, equal ones among them. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeHub {
  /** What a process needs to find it. */
  readonly environment: Record<string, string>;
  close(): void;
}

const commit = "89abcdef0123456789abcdef0123456789abcdef";
const weights = Buffer.alloc(150_000, "weights of a model ");
const files: Readonly<Record<string, Buffer>> = {
  "config.json": Buffer.from("{}\n"),
  "sub/config.json": Buffer.from("{}\n"),
  "model.safetensors": weights,
  "copy/model.safetensors": weights,
  "other.safetensors": Buffer.alloc(90_000, "others "),
};
const hash = (name: string, bytes: Buffer, head = "") => createHash(name).update(head).update(bytes).digest("hex");

export async function fakeHub(): Promise<FakeHub> {
  const server = createServer(({ url = "", headers }, response) => {
    const { pathname } = new URL(url, "http://hub");
    const json = (value: unknown) => response.end(JSON.stringify(value));
    if (pathname.includes("/revision/")) return json({ sha: commit });
    if (pathname.includes("/tree/")) return json(Object.entries(files).map(entry));
    const bytes = files[pathname.split(`/resolve/${commit}/`)[1]];
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    if (from > 0) response.writeHead(206, { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
    response.end(bytes.subarray(from));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return { environment: { HF_ENDPOINT: `http://127.0.0.1:${port}`, HF_TOKEN: "none" }, close: () => server.close() };
}

function entry([path, bytes]: [string, Buffer]) {
  const lfs = bytes.length > 1000 && { lfs: { oid: hash("sha256", bytes), size: bytes.length } };
  return { type: "file", path, size: bytes.length, oid: hash("sha1", bytes, `blob ${bytes.length}\0`), ...lfs };
}
