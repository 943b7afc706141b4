/** Imports point up the list of folders, never down: `layers` of scripts/imports.ts. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { expect, test } from "vitest";
import { importsOf, layers, sources } from "../scripts/imports.ts";

const rank = new Map(layers.flatMap((line, i) => line.map((folder) => [folder, i] as const)));

const files = sources("src");

test("every folder of src has its place in the order", () => {
  const folders = new Set(files.map((file) => relative("src", file).split("/")[0]));
  expect([...folders].filter((folder) => !rank.has(folder))).toEqual([]);
});

test.each(files)("%s imports only from above", (file) => {
  const [folder] = relative("src", file).split("/");
  const wrong = importsOf(file).filter((path) => {
    const [other] = path.split("/");
    return other !== folder && !((rank.get(other) ?? 99) < (rank.get(folder) ?? -1));
  });
  expect(wrong).toEqual([]);
});

/** Files that still import each other, in circles: this list only grows shorter. */
const stillInCircles: readonly string[] = [];

test("no file leads back to itself, imports of types counted", () => {
  const names = files.map((file) => relative("src", file));
  const imports = new Map(names.map((name, i) => [name, importsOf(files[i])]));
  const within = (name: string): ReadonlySet<string> => {
    const reached = new Set<string>();
    const visit = (from: string) => {
      for (const path of imports.get(from) ?? []) {
        if (reached.has(path)) continue;
        reached.add(path);
        visit(path);
      }
    };
    visit(name);
    return reached;
  };
  const reach = new Map(names.map((name) => [name, within(name)]));
  const circleOf = (name: string) =>
    names.filter((other) => reach.get(name)!.has(other) && reach.get(other)!.has(name));
  const inCircles = names.filter((name) => reach.get(name)!.has(name));
  const fresh = inCircles.filter((name) => !stillInCircles.includes(name));
  expect([...new Set(fresh.map((name) => circleOf(name).join(" -> ")))]).toEqual([]);
  expect(stillInCircles.filter((name) => !inCircles.includes(name))).toEqual([]);
});

test("ONNX Runtime is loaded and typed in runtime/ alone", () => {
  const found = files.filter((file) => /"onnxruntime-[a-z]+"/.test(readFileSync(file, "utf8")));
  expect(found.map((file) => relative("src/runtime", file))).toEqual(["onnxruntime-package.ts", "onnxruntime.ts"]);
});

test("foreign JSON goes through files/json.ts alone", () => {
  const found = files
    .filter((file) => readFileSync(file, "utf8").includes("JSON.parse("))
    .map((file) => relative("src", file));
  expect(found.sort()).toEqual([
    "checkpoint/formats/header-json.ts", // one string at a time
    "files/json.ts",
    "files/version.ts", // tbar's own package.json
    "runtime/onnxruntime-package.ts", // npm's own files
  ]);
});
