/** Which file of src/ imports which, and the order of the folders: for the test of the layout, and the picture of docs/design.md. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Folders of src/, each line importing from those above it alone; folders of one line are strangers to each other. */
export const layers: readonly (readonly string[])[] = [
  ["tensor", "stats"],
  ["files", "process"],
  ["graph", "checkpoint", "hub"],
  ["data"],
  ["world", "triggers"],
  ["onnx", "arithmetic", "clip", "optim"],
  ["runtime"],
  ["engine"],
  ["attacks", "defenses", "detectors", "metrics"],
  ["results"],
  ["report"],
  ["jobs"],
  ["store"],
  ["sweep"],
  ["cli", "index.ts"],
];

/** TypeScript below a folder, tests left out. */
export function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

/** What a file imports of src/, types counted: paths within it. */
export function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:from|import|import\()\s*"(\.[^"]+\.ts)"/g)].map(([, path]) =>
    relative("src", join(dirname(file), path)),
  );
}
