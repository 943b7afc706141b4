import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { environmentOf } from "./fork.ts";

const loader = pathToFileURL(
  join(createRequire(import.meta.url).resolve("jiti/package.json"), "../lib/jiti-register.mjs"),
);

test("a process whose maker had gone before it could look ends by itself, though nobody tells it anything", async () => {
  const env = { ...process.env, TBAR_PARENT: "1" };
  const child = fork("src/jobs/child-process.ts", {
    env,
    execArgv: ["--import", loader.href],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const code = await new Promise((ended) => child.once("exit", ended));
  expect(code).toBe(0);
}, 30_000);

test("a process keeps freed blocks, unless the user has set how", () => {
  const set = { HOME: "/home/a", MALLOC_TRIM_THRESHOLD_: "1" };
  expect(environmentOf(set)).toEqual({
    HOME: "/home/a",
    MALLOC_MMAP_THRESHOLD_: "67108864",
    MALLOC_TRIM_THRESHOLD_: "1",
    TBAR_PARENT: String(process.pid),
  });
});
