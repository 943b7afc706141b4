/**
 * What a user meets: the packed tarball, installed by npm 10 and npm 11 into empty folders with empty caches and no setting, without a warning, then
 * used from the command line, from a program, globally and by npx; and `npm ci && npm run demo` in a copy of the last commit.
 * Needs the npm registry. Run: npm run test:pack; results/bench/install.json
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Row, row, writeResults } from "../bench/results.ts";

const npms = ["10", "11.19"];
const work = mkdtempSync(join(tmpdir(), "tbar-pack-"));
const rows: Row[] = [];
const exactly = (what: string, value: number) => rows.push(row(what, value, [value, value]));

try {
  const [{ filename }] = JSON.parse(
    run("npm", ["pack", "--json", "--silent", "--pack-destination", work], process.cwd()),
  );
  const tarball = resolve(work, filename);
  exactly("the tarball, MB", megabytes(tarball));
  for (const npm of npms) check(npm, tarball);
  writeResults("install", { command: "npm run test:pack", seeds: [], rows, reference: null });
} finally {
  rmSync(work, { recursive: true });
}

function check(npm: string, tarball: string): void {
  const home = join(work, `npm-${npm}`);
  const project = join(home, "project");
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "package.json"), '{"name":"project","version":"1.0.0","type":"module"}\n');
  const call = (...args: string[]) => run("npx", ["--yes", `npm@${npm}`, ...args], project, clean(home));
  const found = call("--version").trim();
  const name = `npm ${found.split(".").slice(0, 2).join(".")}`;

  exactly(
    `${name}: npm install, seconds`,
    timed(() => call("install", tarball)),
  );
  exactly(`${name}: node_modules, MB`, megabytes(join(project, "node_modules")));
  expect(call("exec", "--", "tbar", "--version").trim(), version());
  exactly(
    `${name}: tbar setup, seconds`,
    timed(() => call("exec", "--", "tbar", "setup")),
  );
  const cache = join(home, ".cache", "tbar");
  exactly(`${name}: ONNX Runtime in the cache, MB`, existsSync(cache) ? megabytes(cache) : 0);

  const evaluated = JSON.parse(
    call("exec", "--", "tbar", ..."eval --model shapes-badnet --data shapes --test 200 --json --quiet".split(" ")),
  );
  expect(evaluated.asr.value > 0.9 && evaluated.ca.value > 0.9, true);
  writeFileSync(
    join(project, "use.js"),
    `import { evaluate } from "tbar";
const { ca } = await evaluate({ model: "node_modules/tbar/models/shapes", data: "shapes", test: 200 });
if (!(ca.value > 0.9)) throw new Error("CA is " + ca.value);
`,
  );
  run(process.execPath, ["use.js"], project, clean(home));

  const repository = join(home, "repository");
  mkdirSync(repository);
  run("git", ["archive", "HEAD", "--format=tar", "--output", `${repository}.tar`], process.cwd());
  run("tar", ["-xf", `${repository}.tar`, "-C", repository], home);
  quietly("npx", ["--yes", `npm@${npm}`, "ci"], repository, clean(home));
  run("npx", ["--yes", `npm@${npm}`, "run", "demo", "--", "--dry-run"], repository, clean(home));

  call("install", "--global", "--prefix", join(home, "global"), tarball);
  expect(run(join(home, "global", "bin", "tbar"), ["--version"], home, clean(home)).trim(), version());
  expect(existsSync(join(home, "global", "share", "man", "man1", "tbar.1")), true);
  expect(
    run(
      "npx",
      ["--yes", `npm@${npm}`, "exec", "--yes", "--package", tarball, "--", "tbar", "--version"],
      home,
      clean(home),
    ).trim(),
    version(),
  );
}

/** The environment of somebody who has just installed Node: no settings of npm's or ONNX Runtime's, a home of its own. */
function clean(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_|^onnxruntime|^tbar|^xdg|^init_cwd/i.test(name));
  return { ...Object.fromEntries(kept), HOME: home };
}

function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string {
  return execFileSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 26,
  });
}

/** The same, where npm has nothing to warn of. */
function quietly(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): void {
  const { status, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8", maxBuffer: 2 ** 26 });
  expect(status, 0);
  expect(/^npm (warn|error).*/im.exec(stderr)?.[0], undefined);
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return Math.round((performance.now() - start) / 100) / 10;
}

function expect(found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`${String(wanted)} was expected, found: ${String(found)}`);
}

function version(): string {
  return JSON.parse(execFileSync("npm", ["pkg", "get", "version"], { encoding: "utf8" }));
}

function megabytes(path: string): number {
  return Math.round(bytes(path) / 1e5) / 10;
}

function bytes(path: string): number {
  const { size } = statSync(path);
  if (!statSync(path).isDirectory()) return size;
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.isSymbolicLink())
    .reduce((sum, { name }) => sum + bytes(join(path, name)), 0);
}
