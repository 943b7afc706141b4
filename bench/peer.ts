/** Another program beside us, measured in turn with us. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A process, its environment ours and `env`, that answers each line with a number, after a first line `ready VERSION`. Throws where it does not start. */
export async function peer(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
  child.on("error", () => {}); // it says no "ready" then
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value as string | undefined;
  const [ready, version] = (await next())?.split(" ") ?? [];
  if (ready !== "ready") throw new Error(`${args[0]} does not start with ${command}; TBAR_PYTHON names another Python`);
  const ask = async (line: string) => {
    child.stdin.write(`${line}\n`);
    return Number(await next());
  };
  return { version, ask, stop: () => child.kill() };
}
