/** The binary as a process of its own, built anew: what it loads, how it takes signals and closed pipes. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, cp, link, mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onnxModel, slowNodes, writeOnnx } from "../../test/onnx.ts";
import { writePico } from "../../test/pico.ts";

const shapesModel = fileURLToPath(new URL("../../models/shapes", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);
let folder: string;
let main: string;
let work: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-main-"));
  main = join(folder, "dist/cli/main.js");
  await copyFile(join(root, "package.json"), join(folder, "package.json"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await symlink(join(root, "data"), join(folder, "data"));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  await run(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", join(folder, "dist")]);
  work = join(folder, "work");
  await mkdir(work);
  await writePico(join(work, "pico"));
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
  const target = "red circle";
  const attack = ["attack", "badnet", "--data", "shapes", "--target", target, "--threads", "1", "--out", "bad"];
  const training = [...attack, "--model", "pico", ..."--images 2000 --epochs 1000 --test 64".split(" ")];

  /** Starts `tbar`, sends the signals some milliseconds after it said `when`, and tells how it ended, how soon, and what it left behind. */
  async function stopped(
    args: readonly string[],
    when: string | undefined,
    signals: readonly (readonly [NodeJS.Signals, number])[],
    env: Readonly<Record<string, string>> = {},
  ) {
    const before = await readdir(work);
    const child = spawn(process.execPath, [main, ...args], {
      cwd: work,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 50_000,
      killSignal: "SIGKILL",
    });
    let [err, out, since] = ["", "", Number.NaN];
    const begin = () => {
      when = "\0";
      since = performance.now() + signals[0][1];
      for (const [name, after] of signals) setTimeout(() => child.kill(name), after);
    };
    child.stdout.on("data", (text) => (out += text));
    child.stderr.on("data", (text) => {
      err += text;
      if (when !== undefined && err.includes(when)) begin();
    });
    if (when === undefined) begin();
    const closing = new Promise((resolve) => child.on("close", resolve)); // nobody that it started holds its pipes any more
    const code = await new Promise((resolve) => child.on("exit", resolve));
    const seconds = (performance.now() - since) / 1000;
    await closing;
    expect((await readdir(work)).filter((name) => !before.includes(name))).toEqual([]);
    return { code, seconds, err, out, closed: (performance.now() - since) / 1000 };
  }

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s stops it in its step: exit %i, nothing left behind", async (signal, expected) => {
    const { code, seconds, err } = await stopped(training, "measure before", [[signal, 300]]);
    expect({ code, said: err.split("tbar: interrupted").length - 1 }).toEqual({ code: expected, said: 1 });
    expect(seconds).toBeLessThan(2);
  });

  it("a signal within 2 s, in a step of many seconds, with --json", async () => {
    const large = ["--model", shapesModel, ..."--images 2000 --batch 2000 --epochs 1 --test 64 --json".split(" ")];
    const { code, seconds, err, out } = await stopped([...attack, ...large], "implant", [["SIGINT", 1500]]);
    expect(err).toMatch(/tbar: interrupted\n$/);
    expect(JSON.parse(out)).toEqual({ error: { code: "interrupted", message: "interrupted" } });
    expect(code).toBe(130);
    expect(seconds).toBeLessThan(2);
  });

  it("a second signal ends it at once; two in one moment are one", async () => {
    const large = ["--model", shapesModel, ..."--images 2000 --batch 2000 --epochs 1 --test 64".split(" ")];
    const twice = await stopped([...attack, ...large], "implant", [
      ["SIGINT", 1500],
      ["SIGINT", 1510],
      ["SIGINT", 1900],
    ]);
    expect(twice.code).toBe(130);
    expect(twice.seconds).toBeLessThan(1.2);
  });

  it("a foreign model that multiplies for minutes", async () => {
    const { nodes, tensors } = slowNodes();
    await writeOnnx(join(folder, "slow"), shapesModel, onnxModel(nodes, tensors));
    const args = ["eval", "--model", "../slow", "--data", "shapes", "--test", "8", "--threads", "1"];
    const { code, seconds, closed } = await stopped(args, "load", [["SIGTERM", 3000]]);
    expect(code).toBe(143);
    expect(Math.max(seconds, closed)).toBeLessThan(2);
  });

  it("a hub that never answers", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const hub = { HF_ENDPOINT: `http://127.0.0.1:${port}`, HF_HUB_CACHE: join(folder, "hub") };
    const asked = once(silent, "request");
    const { code, seconds } = await stopped(["pull", "some/one"], undefined, [["SIGINT", 3000]], hub);
    await asked;
    silent.closeAllConnections();
    silent.close();
    expect(code).toBe(130);
    expect(seconds).toBeLessThan(2);
  });

  it("pictures that take long to decode", async () => {
    const { default: sharp } = await import("sharp");
    const noise = {
      create: {
        width: 3000,
        height: 3000,
        channels: 3,
        background: "white",
        noise: { type: "gaussian", mean: 128, sigma: 60 },
      },
    } as const;
    const picture = await sharp(noise).jpeg({ quality: 95 }).toBuffer();
    const photo = join(folder, "photo.jpg");
    await writeFile(photo, picture);
    for (const name of ["red circle", "blue star"]) await mkdir(join(folder, "photos", name), { recursive: true });
    for (let i = 0; i < 600; i++)
      await link(photo, join(folder, "photos", i % 2 === 0 ? "red circle" : "blue star", `${i}.jpg`));
    const args = ["eval", "--model", "pico", "--data", "../photos", "--test", "600", "--threads", "1"];
    const { code, seconds } = await stopped(args, "clean accuracy", [["SIGINT", 1000]]);
    expect(code).toBe(130);
    expect(seconds).toBeLessThan(2);
  });

  it("a tokenizer of 500,000 tokens, while it is read", async () => {
    await cp(join(work, "pico"), join(folder, "wordy"), { recursive: true });
    const vocab = Array.from({ length: 500_000 }, (_, i) => `"t${i}":${i}`).join();
    const json = await readFile(join(work, "pico/tokenizer.json"), "utf8");
    await writeFile(join(folder, "wordy/tokenizer.json"), json.replace('"vocab": {', `"vocab": {${vocab},`));
    const { code, seconds } = await stopped(["eval", "--model", "../wordy", "--data", "shapes"], "load", [
      ["SIGTERM", 200],
    ]);
    expect(code).toBe(143);
    expect(seconds).toBeLessThan(2);
  });

  it("when what watches over it is killed, it ends too", async () => {
    const { code, closed } = await stopped(training, "measure before", [["SIGKILL", 1500]]);
    expect(code).toBe(null);
    expect(closed).toBeLessThan(2);
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

  it("work goes on when nobody reads its progress any more", async () => {
    const args = ["eval", "--model", shapesModel, "--data", "shapes", "--test", "8", "--threads", "1"];
    const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    child.stderr.destroy();
    let out = "";
    child.stdout.on("data", (text) => (out += text));
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    expect(out).toContain("clean accuracy");
  });

  it.skipIf(!existsSync("/dev/full"))("a full disk under standard output is said: exit 2", async () => {
    const full = await open("/dev/full", "w");
    const child = spawn(process.execPath, [main, "inspect", shapesModel], { stdio: ["ignore", full.fd, "pipe"] });
    let err = "";
    child.stderr?.on("data", (text) => (err += text));
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(2);
    await full.close();
    expect(err).toMatch(/^tbar: cannot write the result to standard output: ENOSPC[^\n]*\n$/);
  });
});
