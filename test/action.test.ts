/** The GitHub action, as far as a shell is all that it needs: its scan step runs as it stands there, on what a runner would hand it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { nameOf } from "../src/cli/job-command.ts";
import { scanSpec } from "../src/jobs/scan/spec.ts";
import { fieldsOf } from "../src/jobs/spec.ts";
import { writePico } from "./pico.ts";

const text = readFileSync("action.yml", "utf8");
const { inputs, outputs, runs } = parse(text);
interface Step {
  readonly id?: string;
  readonly run?: string;
  readonly uses?: string;
  readonly env?: Readonly<Record<string, string>>;
}
const step = (id: string): Step => runs.steps.find((one: Step) => one.id === id);

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tbar-action-"));
  await writePico(join(folder, "pi'co"));
  return () => rmSync(folder, { recursive: true });
});

/** The step in bash as a runner starts it, with these inputs. */
function ran(id: string, given: Readonly<Record<string, string>>) {
  const out = join(folder, "outputs");
  rmSync(out, { force: true });
  const named = Object.entries(step(id).env ?? {}).map(([name, stated]) => {
    const input = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(stated)?.[1] as string;
    return [name, given[input] ?? inputs[input].default];
  });
  const runner = { GITHUB_ACTION_PATH: process.cwd(), GITHUB_OUTPUT: out, RUNNER_TEMP: folder };
  const env = { ...process.env, ...runner, ...Object.fromEntries(named) };
  const flags = ["--noprofile", "--norc", "-eo", "pipefail", "-c", step(id).run as string];
  const { status, stderr } = spawnSync("bash", flags, { cwd: folder, env, encoding: "utf8" });
  const lines = existsSync(out) ? readFileSync(out, "utf8").trim().split("\n") : [];
  return { status, stderr, said: Object.fromEntries(lines.map((line) => line.split("="))) };
}

test("every input is used, every output comes from a step that is there", () => {
  for (const name of Object.keys(inputs)) expect(text).toContain(`\${{ inputs.${name} }}`);
  for (const { value } of Object.values(outputs) as { value: string }[]) {
    const id = /steps\.(\w+)\./.exec(value)?.[1];
    if (id !== undefined) expect(step(id), value).toBeDefined();
  }
});

test("no input stands in a script, where it could be a command; actions are pinned to a version", () => {
  for (const { run = "", uses = "x@v1" } of runs.steps as Step[]) {
    expect(run).not.toContain("${{");
    expect(uses).toMatch(/@v\d/);
  }
});

test("options that the scan step gives are options of tbar scan", () => {
  const known = [...fieldsOf(scanSpec).map(nameOf), "--json", "--quiet"];
  const given = step("scan").run?.match(/(?<=[\s(])--[a-z-]+/g) ?? [];
  expect(given.length).toBeGreaterThan(8);
  expect(given.filter((name) => !known.includes(name))).toEqual([]);
});

test("lock: a key of the lock file", () => {
  expect(ran("lock", {}).said.sha256).toMatch(/^[0-9a-f]{64}$/);
});

describe.skipIf(!existsSync("dist/cli/main.js"))("scan (after npm run build)", () => {
  test("a verdict, its exit code and a SARIF, of a model whose name has a quote in it", () => {
    const { status, said } = ran("scan", { model: "pi'co", data: "shapes:texture", report: "r.html" });
    expect({ status, said }).toEqual({ status: 3, said: { verdict: "inconclusive", probability: "", "exit-code": "3" } });
    const [run] = JSON.parse(readFileSync(join(folder, "tbar.sarif"), "utf8")).runs;
    expect(run.results[0].locations[0].physicalLocation.artifactLocation.uri).toBe("pi'co/model.safetensors");
    expect(existsSync(join(folder, "r.html"))).toBe(true);
  }); // biome-ignore format: one line

  test("what cannot be scanned fails with 2 and no verdict", () => {
    const { status, stderr, said } = ran("scan", { model: "nowhere", data: "shapes" });
    expect({ status, said }).toEqual({ status: 2, said: { verdict: "", probability: "", "exit-code": "2" } });
    expect(stderr).toContain("nowhere");
  });
});
