/** The binary as a process of its own, built anew: what it loads, how it takes signals and closed pipes. */
import { execFile, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);
let folder: string;
let main: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-main-"));
  main = join(folder, "dist/cli/main.js");
  await copyFile(join(root, "package.json"), join(folder, "package.json"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  await run(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", join(folder, "dist")]);
  await mkdir(join(folder, "work"));
  await writePico(join(folder, "work/pico"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("start-up is lean", () => {
  it("tbar --help loads neither ONNX Runtime nor sharp, in <= 0.3 s of processor time", async () => {
    const hook = join(folder, "hook.cjs");
    await writeFile(
      hook,
      `process.on("exit", () => {
        const { user, system } = process.cpuUsage();
        const libraries = process.report.getReport().sharedObjects;
        console.error(JSON.stringify({ seconds: (user + system) / 1e6, libraries }));
      });`,
    );
    const { stdout, stderr } = await run(process.execPath, ["--require", hook, main, "--help"]);
    expect(stdout).toContain("Usage: tbar");
    const { seconds, libraries } = JSON.parse(stderr);
    expect(libraries.length).toBeGreaterThan(0);
    expect(libraries.filter((name: string) => /onnxruntime|sharp|vips/.test(name))).toEqual([]);
    expect(seconds).toBeLessThanOrEqual(0.3);
  });
});

describe("a job of its own process", () => {
  const long =
    "attack badnet --model pico --data shapes --target x --images 2000 --epochs 1000 --test 64 --threads 1 --out bad"
      .split(" ")
      .map((word) => (word === "x" ? "red circle" : word));

  it.each(["SIGINT", "SIGTERM"] as const)("%s stops it: exit 130, nothing left behind", async (signal) => {
    const child = spawn(process.execPath, [main, ...long], {
      cwd: join(folder, "work"),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 30_000,
      killSignal: "SIGKILL",
    });
    let err = "";
    child.stderr.on("data", (text) => {
      err += text;
      if (String(text).includes("measure before")) setTimeout(() => child.kill(signal), 300);
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect({ code, said: err.includes("tbar: interrupted") }).toEqual({ code: 130, said: true });
    expect(await readdir(join(folder, "work"))).toEqual(["pico"]);
  });

  it("bad input is exit 2 with a sentence, no stack", async () => {
    const failed = await run(process.execPath, [main, "vector", "info", "nope"]).catch((error) => error);
    expect(failed).toMatchObject({ code: 2, stdout: "", stderr: "tbar: there is no file nope\n" });
  });

  it("a reader that closes the pipe early is no fault", async () => {
    const child = spawn(process.execPath, [main, "clean", "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let err = "";
    child.stderr.on("data", (text) => (err += text));
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    expect(err).toBe("");
  });
});
