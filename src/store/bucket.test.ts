/** A store in a bucket of a server that behaves like S3 as far as we ask it. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ran, toyJobs } from "../../test/toy-jobs.ts";
import { silent } from "../jobs/context.ts";
import { runJob } from "../jobs/run-job.ts";
import { failureOf, remember } from "../sweep/failures.ts";
import { openCell, queuedCells } from "../sweep/queue/cell.ts";
import { readRecipe } from "../sweep/recipe.ts";
import { type Perform, runSweep } from "../sweep/run.ts";
import { unitsOf } from "../sweep/units.ts";
import { hashOf } from "./address.ts";
import { openStore } from "./store.ts";

const address = { job: "clean", spec: { seed: 1 }, schema: "tbar/clean/2", tbar: "0.1.0" };
const hash = hashOf(address);

let folder: string;
let server: Server;
let objects: Map<string, Buffer>;
let asked: string[];
/** What the server answers instead, once each. */
let faults: number[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tbar-bucket-"));
  [objects, asked, faults] = [new Map(), [], []];
  server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const key = decodeURIComponent(new URL(request.url as string, "http://here").pathname);
    asked.push(`${request.method} ${key}`);
    const fault = faults.shift();
    const isSigned = /^AWS4-HMAC-SHA256 Credential=KEY\/\d{8}\/eu-central-1\/s3\//.test(
      request.headers.authorization ?? "",
    );
    const [status, answer] =
      fault !== undefined ? [fault, ""] : isSigned ? answered(request.method as string, key, body) : [403, denied];
    response
      .writeHead(status, { "content-length": answer.length, "content-type": "application/xml", etag: '"0"' })
      .end(answer);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  vi.stubEnv("AWS_ENDPOINT_URL_S3", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "KEY");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "SECRET");
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_SESSION_TOKEN", "");
  vi.stubEnv("TBAR_CACHE", folder);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const denied = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";

function answered(method: string, key: string, body: Buffer): [number, Buffer | string] {
  const found = objects.get(key);
  if (method === "PUT") objects.set(key, body);
  if (method === "DELETE") objects.delete(key);
  if (method === "PUT") return [200, ""];
  if (method === "DELETE") return [204, ""];
  return found === undefined ? [404, "<Error><Code>NoSuchKey</Code></Error>"] : [200, found];
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

test("what is kept lies under the prefix, and is there for another process", async () => {
  const store = openStore("s3://tbar-results/of the paper/");
  expect(store.name).toBe("s3://tbar-results/of the paper");
  expect(await store.get(hash)).toBeUndefined();
  await store.put(address, { value: 1, examples: ["data:..."] });
  expect([...objects.keys()]).toEqual([`/tbar-results/of the paper/${hash}.json`]);
  expect(await openStore("s3://tbar-results/of the paper").get(hash)).toEqual({ ...address, result: { value: 1 } });
  expect(await openStore("s3://tbar-results").get(hash)).toBeUndefined();
});

test("half an object and another's result do not count; one that is too large is refused", async () => {
  const store = openStore("s3://tbar-results");
  await store.put(address, { value: 1 });
  const key = `/tbar-results/${hash}.json`;
  const whole = objects.get(key) as Buffer;
  for (const broken of [
    whole.subarray(0, -20),
    Buffer.from(""),
    Buffer.from(String(whole).replace('"seed": 1', '"seed": 2')),
  ]) {
    objects.set(key, broken);
    expect(await store.get(hash)).toBeUndefined();
  }
  objects.set(key, Buffer.alloc(64 * 2 ** 20 + 1));
  await expect(store.get(hash)).rejects.toThrow("has more than 67108864 bytes");
});

test("a server's fault passes, a refusal does not", async () => {
  const store = openStore("s3://tbar-results");
  faults.push(503);
  await store.put(address, { value: 1 });
  expect(asked).toEqual([`PUT /tbar-results/${hash}.json`, `PUT /tbar-results/${hash}.json`]);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "ANOTHER");
  await expect(openStore("s3://tbar-results").get(hash)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/^s3:\/\/tbar-results: 403 AccessDenied$/),
  });
});

test("a server that is away is asked again, and then named", async () => {
  vi.stubEnv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9");
  await expect(openStore("s3://tbar-results").get(hash)).rejects.toThrow(
    "s3://tbar-results: http://127.0.0.1:9 does not answer",
  );
}, 20_000);

test.each([
  ["s3://", {}, "s3:// is no bucket; one is called s3://BUCKET/PREFIX"],
  ["s3://Bucket", {}, "s3://Bucket is no bucket"],
  ["s3://tbar-results", { AWS_SECRET_ACCESS_KEY: "" }, "needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"],
  ["s3://tbar-results", { AWS_SESSION_TOKEN: "x" }, "AWS_SESSION_TOKEN is set"],
])("%s with %o is told before anything is asked", async (place, env, message) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  await expect((async () => openStore(place).get(hash))()).rejects.toThrow(message);
  expect(asked).toEqual([]);
});

const text = `
name: toy
title: A toy
reproduces: nothing
seeds: [1, 2]
cells: [{ name: weak, strength: 0.2 }]
steps:
  - { id: made, job: make, spec: { strength: "\${cell.strength}", seed: "\${seed}" } }
  - { id: seen, job: measure, spec: { model: "\${steps.made.out}" } }
table: { figures: [{ name: hits, value: steps.seen.hits }] }
`;

test("a sweep, its failures and a queue's recipe live in a bucket; models on the way stay here and go", async () => {
  writeFileSync(join(folder, "toy.yaml"), text);
  const recipe = await readRecipe(join(folder, "toy.yaml"));
  const units = unitsOf(recipe);
  const store = openStore("s3://tbar-results/toy");
  const perform: Perform = (job, spec, given) => runJob(job, spec as never, given) as never;
  const sweep = () =>
    runSweep(recipe, { units, store, workers: 1, jobs: toyJobs, perform }, { progress: silent } as never);
  ran.length = 0;
  expect((await sweep()).ran).toBe(4);
  expect([...objects.keys()].every((key) => /^\/tbar-results\/toy\/[0-9a-f]{64}\.json$/.test(key))).toBe(true);
  expect(objects.size).toBe(4);
  expect(readdirSync(store.folder)).toEqual([]);
  expect((await sweep()).ran).toBe(0);

  await remember(store, recipe, units[0], "no luck");
  expect(await failureOf(openStore("s3://tbar-results/toy"), recipe, units[0])).toBe("no luck");
  expect(await failureOf(store, recipe, units[1])).toBeUndefined();

  const [cell] = await queuedCells(store, { recipe: join(folder, "toy.yaml") }, units);
  const opened = await openCell(openStore("s3://tbar-results/toy"), cell);
  expect(opened.unit).toMatchObject({ cell: { name: "weak" }, seed: { seed: 1 } });
  await expect(openCell(openStore("s3://tbar-results"), cell)).rejects.toThrow("do all machines share this store?");
});
