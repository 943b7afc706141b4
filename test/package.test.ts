/** What npm packs: everything that README and docs point to, no install script, and fields that name their placeholders. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { documents } from "../scripts/tables.ts";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const [{ files }] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"], {
    encoding: "utf8",
    shell: process.platform === "win32",
  }),
);
const packed: string[] = files.map(({ path }: { path: string }) => path);

test.each(documents)("%s: every file that it links to is packed beside it", (document) => {
  const text = readFileSync(document, "utf8");
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, path]) =>
    join(dirname(document), path).replaceAll("\\", "/").replace(/\/$/, ""),
  );
  const missing = links.filter((path) => !packed.some((file) => file === path || file.startsWith(`${path}/`)));
  expect(missing).toEqual([]);
  expect(packed).toContain(document);
});

test("no source, test or setting of ours is packed", () => {
  expect(packed.filter((path) => /^(src|test|bench|results|\.)|\.test\.|fixture/.test(path))).toEqual([]);
});

test("installing runs nothing: no script that npm runs on a user's machine", () => {
  const lifecycle = ["preinstall", "install", "postinstall", "prepare", "prepublish", "preprepare", "postprepare"];
  expect(Object.keys(manifest.scripts).filter((name) => lifecycle.includes(name))).toEqual([]);
  expect(manifest.dependencies["onnxruntime-node"]).toBeUndefined();
});

test("repository, bugs and homepage are there, as placeholders that say so or as the real thing", () => {
  const addresses = [manifest.repository.url, manifest.bugs.url, manifest.homepage];
  for (const address of addresses) {
    const { host, hash } = new URL(address.replace(/^git\+/, ""));
    expect(host === "example.org", address).toBe(hash.startsWith("#placeholder"));
  }
});
