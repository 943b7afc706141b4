/** Redis and PostgreSQL of the system, started for a test on a socket or port of their own; where they are not installed the test is skipped. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestServer {
  readonly url: string;
  /** Gone, as if its machine had lost power, and back with what it had stored. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const inPath = (name: string) => (process.env.PATH ?? "").split(":").map((folder) => join(folder, name)).find(existsSync); // biome-ignore format: one line

export const redisServer = inPath("redis-server") ?? inPath("valkey-server");
const debian = "/usr/lib/postgresql";
const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
/** Folder of initdb and postgres. */
export const postgresPrograms = versions.map((version) => join(debian, version, "bin")).find((folder) => existsSync(join(folder, "initdb"))); // biome-ignore format: one line

const freePort = () =>
  new Promise<number>((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => found(port));
    });
  });

async function started(begin: () => ChildProcess, isReady: () => boolean): Promise<ChildProcess> {
  const child = begin();
  for (let i = 0; i < 200; i++) {
    await new Promise((go) => setTimeout(go, 100));
    if (isReady()) return child;
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
  }
  throw new Error("the server does not answer");
}

const gone = (child: ChildProcess, signal: NodeJS.Signals) =>
  new Promise<void>((ended) => {
    if (child.exitCode !== null || child.signalCode !== null) return ended();
    child.once("exit", () => ended());
    child.kill(signal);
  });

const quiet = { stdio: "ignore" } as const;

function served(url: string, folder: string, start: () => Promise<ChildProcess>, first: ChildProcess): TestServer {
  let child = first;
  return {
    url,
    async restart() {
      await gone(child, "SIGINT"); // of PostgreSQL: without waiting for those connected
      child = await start();
    },
    async stop() {
      await gone(child, "SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function startRedis(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "tbar-redis-"));
  const port = await freePort();
  const program = redisServer as string;
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--save", ""];
  const cli = program.replace(/server$/, "cli");
  const isReady = () => {
    try {
      return execFileSync(cli, ["-p", `${port}`, "ping"], { encoding: "utf8", stdio: "pipe" }).includes("PONG");
    } catch {
      return false;
    }
  };
  const start = () => started(() => spawn(program, options, quiet), isReady);
  return served(`redis://127.0.0.1:${port}`, folder, start, await start());
}

/** The server refuses to run as root: then it runs as `postgres`. */
export async function startPostgres(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "tbar-postgres-"));
  const port = await freePort();
  const programs = postgresPrograms as string;
  const isRoot = process.getuid?.() === 0;
  const run = (name: string, args: readonly string[]): [string, string[]] => {
    const program = join(programs, name);
    return isRoot ? ["setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, ...args]] : [program, [...args]]; // biome-ignore format: one line
  };
  if (isRoot) execFileSync("chown", ["postgres", folder]);
  chmodSync(folder, 0o700);
  const data = join(folder, "data");
  execFileSync(...run("initdb", ["-D", data, "-U", "tbar", "--auth=trust", "-N"]), { ...quiet, cwd: "/" });
  const options = ["-D", data, "-p", `${port}`, "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"];
  const isReady = () => {
    try {
      execFileSync(join(programs, "pg_isready"), ["-h", "127.0.0.1", "-p", `${port}`], quiet);
      return true;
    } catch {
      return false;
    }
  };
  const start = () => started(() => spawn(...run("postgres", options), { ...quiet, cwd: "/" }), isReady);
  return served(`postgres://tbar@127.0.0.1:${port}/postgres`, folder, start, await start());
}
