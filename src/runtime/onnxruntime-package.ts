/**
 * Where the package onnxruntime-node lies: beside tbar, or in tbar's cache. npm installs it with tbar and leaves it out again, without a
 * word, where its install script cannot fetch CUDA files from outside the registry (docs/install.md); then it is fetched once, script unrun.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { writeFolderAtomic } from "../files/atomic.ts";
import { makeFolder } from "../files/folder.ts";
import { TbarError } from "../tensor/error.ts";

export const version = "1.30.0";

/** What the registry must hand out, as package-lock.json has it. */
export const integrity: ReadonlyMap<string, string> = new Map([
  [
    "onnxruntime-node",
    "sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==",
  ],
  [
    "onnxruntime-common",
    "sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==",
  ],
]);

/** TBAR_CACHE, or tbar/ in XDG_CACHE_HOME, or ~/.cache/tbar. */
export function cacheFolder(): string {
  const { TBAR_CACHE, XDG_CACHE_HOME } = process.env;
  return TBAR_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "tbar");
}

/**
 * The folder of the package, fetched if need be. `say` is told before anything is fetched. Throws `unavailable` with what to do
 * where npm is not at hand, the registry not reached, or what it hands out is not the package that tbar was tested with.
 */
export async function onnxRuntimePackage(say: (text: string) => void, from = import.meta.url): Promise<string> {
  const cache = join(cacheFolder(), `onnxruntime-node-${version}`);
  return resolved(from) ?? resolved(join(cache, "package.json")) ?? fetched(cache, say);
}

/** The package as a module of `from` would find it, where it is of the version that tbar was tested with (patches aside). */
function resolved(from: string): string | undefined {
  try {
    const file = createRequire(from).resolve("onnxruntime-node/package.json");
    const found: string = JSON.parse(readFileSync(file, "utf8")).version;
    return minor(found) === minor(version) ? dirname(file) : undefined;
  } catch {
    return undefined;
  }
}

const minor = (text: string) => text.split(".", 2).join(".");

async function fetched(cache: string, say: (text: string) => void): Promise<string> {
  say(
    "ONNX Runtime is not installed here: npm leaves it out where its install script cannot reach beyond the registry. " +
      `Fetching onnxruntime-node ${version} from npm's registry (114 MB, this once) into ${cache}\n`,
  );
  try {
    await makeFolder(dirname(cache));
    await writeFolderAtomic(cache, install).catch(async (error) => {
      // another process was faster, unless it does not come: a third may be exchanging the folder just now
      for (let looks = 0; !existsSync(cache); looks++) {
        if (looks === 20) throw error;
        await setTimeout(50);
      }
    });
  } catch (error) {
    throw new TbarError("unavailable", `${(error as Error).message}. ${advice}`, { cause: error });
  }
  return resolved(join(cache, "package.json")) ?? broken(cache);
}

const advice = `tbar needs onnxruntime-node ${version}; install it beside tbar: npm install --ignore-scripts onnxruntime-node@${version}`;

function broken(cache: string): never {
  throw new TbarError("unavailable", `${cache} holds no onnxruntime-node ${version}; remove that folder. ${advice}`);
}

/** By the user's own npm and its settings; no script of the packages is run. Other platforms' libraries are not kept. */
async function install(folder: string): Promise<void> {
  await writeFile(join(folder, "package.json"), '{"private":true}\n');
  await npm(folder, "install", `onnxruntime-node@${version}`, "--save-exact", "--ignore-scripts", "--no-audit", "--no-fund",
    "--prefer-offline", "--global=false", "--dry-run=false", "--install-strategy=hoisted", "--loglevel=error"); // biome-ignore format: a command line
  const { packages } = JSON.parse(readFileSync(join(folder, "node_modules", ".package-lock.json"), "utf8"));
  for (const [name, expected] of integrity) {
    const found = packages[`node_modules/${name}`]?.integrity;
    if (found !== expected) throw new Error(`the registry's ${name} is ${found}, not ${expected}`);
  }
  const platforms = join(folder, "node_modules", "onnxruntime-node", "bin", "napi-v6");
  await keepOnly(platforms, process.platform);
  await keepOnly(join(platforms, process.platform), process.arch);
}

async function keepOnly(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name !== kept) await rm(join(folder, name), { recursive: true });
  }
}

function npm(folder: string, ...args: string[]): Promise<void> {
  return new Promise((done, fail) => {
    const windows = process.platform === "win32"; // npm is a .cmd there
    const child = spawn("npm", args, { cwd: folder, shell: windows, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said = (said + text).slice(-2000);
    });
    child.on("error", (error) => fail(new Error(`npm cannot be run (${error.message})`)));
    child.on("close", (code) => {
      if (code === 0) done();
      else fail(new Error(`npm could not fetch it (${said.trim().split("\n").slice(0, 3).join("; ")})`));
    });
  });
}
