/** A job in a process of its own ends as it would in this one; and where its process ends otherwise, that is said. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { isAlive } from "../files/temporary.ts";
import { forkModule } from "../process/fork.ts";
import { runInChild } from "./child.ts";
import type { Progress } from "./context.ts";
import { finetune } from "./finetune/job.ts";
import { runJob } from "./run-job.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const list = new URL("../../test/child-jobs.ts", import.meta.url).href;
const toy = (name: string, options: { heap?: number; signal?: AbortSignal } = {}) =>
  runInChild(name, { out: at("out") }, { list, ...options });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-child-"));
  await writePico(at("pico"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A progress that keeps what it is told. */
function recorded() {
  const said: unknown[][] = [];
  const tell = (what: string) => (...given: unknown[]) => void said.push([what, ...given]); // biome-ignore format: one line
  const progress: Progress = { stage: tell("stage"), step: tell("step"), plan: tell("plan"), opened: tell("opened") };
  return { said, progress };
}

/** Processes of jobs that this one has made. */
const childrenOf = (pid: number) =>
  spawnSync("ps", ["-o", "pid=,args=", "--ppid", `${pid}`], { encoding: "utf8" }).stdout.split("\n").filter((line) => line.includes("child-process")); // biome-ignore format: one line

async function gone(pid: number, within: number): Promise<boolean> {
  for (const until = performance.now() + within; performance.now() < until; await wait(50))
    if (!isAlive(pid)) return true;
  return false;
}

describe("a job of ours", () => {
  const spec = () => ({
    model: at("pico"),
    data: "shapes:texture",
    images: 64,
    testImages: 40,
    recipe: { epochs: 1, batch: 16 },
    threads: 1,
  });

  it("has the result and the progress that it has in this process", async () => {
    const [here, there] = [recorded(), recorded()];
    const one = await runJob(finetune, spec(), { progress: here.progress, command: "as asked" });
    const other = await runInChild<typeof one>("finetune", spec(), { progress: there.progress, command: "as asked" });
    const { created, seconds, timings, learned } = one; // when, and how long it took in which process
    expect({ ...other, created, seconds, timings, learned }).toEqual(one);
    expect((other.learned as { values: number }).values).toBe((learned as { values: number }).values);
    expect(other.timings.map(({ what }) => what)).toEqual(timings.map(({ what }) => what));
    expect(there.said).toEqual(here.said);
    expect(there.said.filter(([what]) => what === "step").length).toBeGreaterThan(4);
  });

  it.each([
    ["finetune", { model: "/no/model", data: "shapes" }, "bad-input", "there is no file or folder /no/model"],
    [
      "finetune",
      { model: "shapes", data: "shapes", recipe: { lrr: 1 } },
      "bad-input",
      'unknown option of finetune\'s recipe "lrr"; did you mean "lr"?',
    ],
    ["finetun", {}, "bad-input", 'unknown job "finetun"; did you mean "finetune"?'],
  ])("%s %j is refused as in this process", async (name, asked, code, message) => {
    // biome-ignore format: a table
    const error = await runInChild(name, asked).catch((error) => error);
    expect(error).toMatchObject({ name: "TbarError", code, message: expect.stringContaining(message) });
  });

  it("is stopped within 2 s while it computes, with the signal's reason, and leaves nothing", async () => {
    const before = await readdir(folder);
    const stop = new AbortController();
    const reason = new Error("the page was closed");
    let since = Number.NaN;
    const { progress } = recorded();
    const stage = (what: string) => {
      if (what !== "fine-tune") return;
      setTimeout(() => {
        since = performance.now();
        stop.abort(reason);
      }, 300);
    };
    const large = { ...spec(), model: "shapes", images: 2000, recipe: { epochs: 1, batch: 2000 }, out: at("never") };
    const running = runInChild("finetune", large, { progress: { ...progress, stage }, signal: stop.signal });
    await expect(running).rejects.toBe(reason);
    expect(performance.now() - since).toBeLessThan(2000);
    expect(await readdir(folder)).toEqual(before);
  });
});

describe("a process that ends otherwise", () => {
  it.each([
    ["refuse", "bad-input", /^no such thing$/],
    ["abort", "internal", /^the process of abort crashed \(SIGABRT\) without an answer/],
    ["exit", "internal", /^the process of exit ended with exit 3 without an answer$/],
    ["buffer", "unavailable", /^out of memory: /],
  ] as const)("%s: %s, and says so", async (name, code, message) => {
    const error = await toy(name).catch((error) => error);
    expect(error).toMatchObject({ name: "TbarError", code, message: expect.stringMatching(message) });
  });

  it("out of memory is told as that", async () => {
    const error = await toy("heap", { heap: 64 }).catch((error) => error);
    const message = "the process of heap ran out of memory";
    expect(error).toMatchObject({ name: "TbarError", code: "unavailable", message });
  });

  it("a fault keeps its name and its stack; that of the system its call", async () => {
    const fault = await toy("fault").catch((error) => error);
    const stack = expect.stringContaining("child-jobs.ts");
    expect(fault).toMatchObject({ name: "TypeError", message: "x is not a function", stack });
    expect(await toy("system").catch((error) => error)).toMatchObject({ code: "ENOENT", syscall: "open" });
    await expect(toy("reject later")).rejects.toThrow("too late");
  });

  it("killed from outside", async () => {
    const running = toy("pid").catch((error) => error);
    while (!existsSync(at("out"))) await wait(50);
    await wait(100);
    process.kill(Number(await readFile(at("out"), "utf8")), "SIGKILL");
    expect(await running).toMatchObject({ code: "unavailable", message: expect.stringMatching(/was killed, by the/) });
    await rm(at("out"));
  });

  it("a spec that is no data is refused, and no process is left", async () => {
    const error = await runInChild("pid", { out: () => at("out") }, { list }).catch((error) => error);
    expect(error).toMatchObject({
      name: "TbarError",
      code: "bad-input",
      message: expect.stringMatching(/^the spec of pid is no data: /),
    });
    expect(childrenOf(process.pid)).toEqual([]);
  });

  it("what the caller's progress throws ends the job, as in this process", async () => {
    const reason = new Error("the page is gone");
    const stage = () => {
      throw reason;
    };
    const running = runInChild("wait", { out: at("out") }, { list, progress: { stage, step: () => {} } });
    await expect(running).rejects.toBe(reason);
    expect(childrenOf(process.pid)).toEqual([]);
  });

  it("messages of the job's own are no progress, and its error keeps its words", async () => {
    const { said, progress } = recorded();
    const running = runInChild("tell anything", { out: at("out") }, { list, progress });
    await expect(running).rejects.toThrow("with a function");
    expect(said).toEqual([
      ["stage", "tell anything"],
      ["stage", "told"],
    ]);
  });

  it("what it prints is no message", async () => {
    expect(await toy("print")).toEqual({ printed: true, nothing: Number.NaN });
  });

  it.each(["block while writing", "wait"])("%s: stopped within 2 s, nothing left behind", async (name) => {
    const before = await readdir(folder);
    const stop = new AbortController();
    let begin = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const { progress } = recorded();
    const running = runInChild(
      name,
      { out: at("out") },
      { list, signal: stop.signal, progress: { ...progress, stage: begin } },
    );
    await begun;
    await wait(300);
    const files = await readdir(folder);
    expect(files.length).toBe(before.length + (name === "wait" ? 0 : 1));
    const since = performance.now();
    stop.abort();
    await expect(running).rejects.toBe(stop.signal.reason);
    expect(performance.now() - since).toBeLessThan(2000);
    expect(await readdir(folder)).toEqual(before);
  });

  it("is not begun when the signal is aborted already", async () => {
    const reason = new Error("closed");
    await expect(toy("pid", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(existsSync(at("out"))).toBe(false);
  });
});

it("ends when the process that asked for it is killed", async () => {
  const parent = forkModule("child-parent", list, {
    args: ["pid", at("out")],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  while (!existsSync(at("out"))) await wait(50);
  await wait(1500); // it computes
  const pid = Number(await readFile(at("out"), "utf8"));
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  expect(await gone(pid, 3000)).toBe(true);
  await rm(at("out"));
});
