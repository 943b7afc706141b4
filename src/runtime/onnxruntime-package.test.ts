import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { integrity, onnxRuntimePackage, version } from "./onnxruntime-package.ts";

const { PATH, TBAR_CACHE } = process.env;
let folder: string;
/** A file that the package could stand beside. */
let from: string;
let said: string[];
const say = (text: string) => void said.push(text);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-runtime-"));
  from = join(folder, "project", "index.js");
  said = [];
  process.env.TBAR_CACHE = join(folder, "cache");
});
afterEach(async () => {
  process.env.PATH = PATH;
  if (TBAR_CACHE === undefined) delete process.env.TBAR_CACHE;
  else process.env.TBAR_CACHE = TBAR_CACHE;
  await rm(folder, { recursive: true });
});

async function stand(where: string, found: string): Promise<string> {
  const place = join(where, "node_modules", "onnxruntime-node");
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "package.json"), JSON.stringify({ name: "onnxruntime-node", version: found }));
  return place;
}

/** An npm that puts the package of two platforms where it is run. */
async function fakeNpm(hashes: ReadonlyMap<string, string>): Promise<void> {
  const bin = join(folder, "bin");
  await mkdir(bin);
  const packages = Object.fromEntries([...hashes].map(([name, hash]) => [`node_modules/${name}`, { integrity: hash }]));
  await writeFile(
    join(bin, "npm"),
    `#!${process.execPath}
const { mkdirSync, writeFileSync } = require("node:fs");
if (!process.argv.includes("onnxruntime-node@${version}") || !process.argv.includes("--ignore-scripts")) process.exit(1);
const at = "node_modules/onnxruntime-node";
for (const platform of ["${process.platform}/${process.arch}", "${process.platform}/vax", "plan9/x64"])
  mkdirSync(at + "/bin/napi-v6/" + platform, { recursive: true });
writeFileSync(at + "/package.json", ${JSON.stringify(JSON.stringify({ version }))});
writeFileSync("node_modules/.package-lock.json", ${JSON.stringify(JSON.stringify({ packages }))});
`,
  );
  await chmod(join(bin, "npm"), 0o755);
  process.env.PATH = bin;
}

test("version and hashes are those of package.json and package-lock.json", async () => {
  const read = async (name: string) => JSON.parse(await readFile(name, "utf8"));
  expect((await read("package.json")).optionalDependencies["onnxruntime-node"]).toBe(version);
  const { packages } = await read("package-lock.json");
  for (const [name, hash] of integrity) {
    expect(packages[`node_modules/${name}`]).toMatchObject({ version, integrity: hash });
  }
});

test("beside tbar it is taken as it lies; one of another version is passed over for the cache's; nothing is fetched", async () => {
  process.env.PATH = "";
  const beside = await stand(join(folder, "project"), version);
  expect(await onnxRuntimePackage(say, from)).toBe(beside);
  await stand(join(folder, "project"), "1.17.3");
  const cached = await stand(join(folder, "cache", `onnxruntime-node-${version}`), version);
  expect(await onnxRuntimePackage(say, from)).toBe(cached);
  expect(said).toEqual([]);
});

test.skipIf(process.platform === "win32")(
  "where it is missing npm fetches it without scripts, said first; four at once agree; other platforms are not kept",
  async () => {
    await fakeNpm(integrity);
    const found = await Promise.all([1, 2, 3, 4].map(() => onnxRuntimePackage(say, from)));
    const place = join(folder, "cache", `onnxruntime-node-${version}`, "node_modules", "onnxruntime-node");
    expect(found).toEqual([place, place, place, place]);
    expect(said[0]).toMatch(new RegExp(`not installed here.*onnxruntime-node ${version}.*114 MB`));
    expect(await readdir(join(folder, "cache"))).toEqual([`onnxruntime-node-${version}`]);
    expect(await readdir(join(place, "bin", "napi-v6"))).toEqual([process.platform]);
    expect(await readdir(join(place, "bin", "napi-v6", process.platform))).toEqual([process.arch]);
  },
);

test.skipIf(process.platform === "win32")("a package with another hash is refused, and nothing is left", async () => {
  await fakeNpm(new Map([...integrity, ["onnxruntime-common", "sha512-AAAA"]]));
  await expect(onnxRuntimePackage(say, from)).rejects.toThrow(/onnxruntime-common is sha512-AAAA, not sha512-7fd/);
  expect(await readdir(join(folder, "cache"))).toEqual([]);
});

test("without npm the error says what to run", async () => {
  process.env.PATH = "";
  await expect(onnxRuntimePackage(say, from)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/npm cannot be run.*npm install --ignore-scripts onnxruntime-node@1\.\d+\.\d+$/),
  });
  expect(await readdir(join(folder, "cache"))).toEqual([]);
});
