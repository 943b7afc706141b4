import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { refuseFolder, writeFileAtomic, writeFolderAtomic } from "./atomic.ts";
import { filesWithin } from "./tree.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-atomic-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const failing = (code: string) => Object.assign(new Error(`${code}: injected`), { code });

/** The prototype all file handles share, to make the next write or sync fail. */
async function fileHandle(): Promise<{ writeFile: () => Promise<void>; sync: () => Promise<void> }> {
  const probe = await open(folder);
  await probe.close();
  return Object.getPrototypeOf(probe);
}

describe("files appear whole or not at all", () => {
  test("the name appears when all is written, and no other name stays", async () => {
    const path = join(folder, "report.html");
    let during: string[] = [];
    await writeFileAtomic(path, async (write) => {
      await write("one ");
      during = await readdir(folder);
      await write(Buffer.from("two"));
    });
    expect(during).toEqual([expect.stringMatching(/^report\.html\.tmp-\d+-[0-9a-f]+$/)]);
    expect(await readdir(folder)).toEqual(["report.html"]);
    expect(await readFile(path, "utf8")).toBe("one two");
  });

  test.each([
    ["writeFile", "ENOSPC", "the disk is full"],
    ["writeFile", "EFBIG", "it would be larger than the file size limit"],
    ["sync", "EDQUOT", "the disk quota is used up"],
  ] as const)("%s fails with %s: exit code 2, nothing left", async (call, code, reason) => {
    vi.spyOn(await fileHandle(), call).mockRejectedValueOnce(failing(code));
    const path = join(folder, "a");
    await expect(writeFileAtomic(path, "text")).rejects.toMatchObject({
      code: "bad-input",
      message: `cannot write ${path}: ${reason}`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("with force, a failed write leaves the old file as it was", async () => {
    const path = join(folder, "a");
    await writeFile(path, "old");
    vi.spyOn(await fileHandle(), "writeFile").mockRejectedValueOnce(failing("ENOSPC"));
    await expect(writeFileAtomic(path, "new", { force: true })).rejects.toThrow("the disk is full");
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("a writer's own fault is passed on as it is, nothing left", async () => {
    const fault = new TypeError("a bug");
    await expect(writeFileAtomic(join(folder, "a"), () => Promise.reject(fault))).rejects.toBe(fault);
    expect(await readdir(folder)).toEqual([]);
  });

  test("a file that appears while we write is not overwritten", async () => {
    const path = join(folder, "a");
    const writing = writeFileAtomic(path, async () => writeFile(path, "theirs"));
    await expect(writing).rejects.toThrow("exists already");
    expect(await readFile(path, "utf8")).toBe("theirs");
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("a dangling link counts as existing", async () => {
    await symlink(join(folder, "nowhere"), join(folder, "a"));
    await expect(writeFileAtomic(join(folder, "a"), "text")).rejects.toThrow("exists already");
  });

  test.each([
    ["a missing folder", "none/a", "its folder does not exist"],
    ["a file as folder", "file/a", "its parent is not a folder"],
    ["a folder in its place", "sub", "it is a folder"],
  ])("%s is bad input", async (_, name, reason) => {
    await writeFile(join(folder, "file"), "");
    await mkdir(join(folder, "sub"));
    await expect(writeFileAtomic(join(folder, name), "text", { force: true })).rejects.toMatchObject({
      code: "bad-input",
      message: `cannot write ${join(folder, name)}: ${reason}`,
    });
    expect((await readdir(folder)).sort()).toEqual(["file", "sub"]);
  });
});

describe("folders appear whole or not at all", () => {
  const fill = (files: Record<string, string>) => async (inside: string) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(inside, name), text);
  };

  const deep = (text: string) => async (inside: string) => {
    await mkdir(join(inside, "onnx"));
    await fill({ a: text, "onnx/b": text })(inside);
  };

  test("the name appears when all is written", async () => {
    const path = join(folder, "model/"); // as a shell completes it
    await writeFolderAtomic(path, async (inside) => {
      await fill({ a: "1" })(inside);
      expect(await readdir(folder)).toEqual([expect.stringMatching(/^model\.tmp-/)]);
    });
    expect(await readdir(folder)).toEqual(["model"]);
    expect(await readFile(join(path, "a"), "utf8")).toBe("1");
  });

  test("a failure in the middle leaves nothing", async () => {
    const writing = writeFolderAtomic(join(folder, "model"), async (inside) => {
      await fill({ a: "1" })(inside);
      throw failing("ENOSPC");
    });
    await expect(writing).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("the disk is full"),
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("an existing folder is refused untouched; force replaces it whole", async () => {
    const path = join(folder, "model");
    await writeFolderAtomic(path, fill({ a: "old", b: "old" }));
    await expect(writeFolderAtomic(path, fill({ a: "new" }))).rejects.toThrow("exists already");
    await writeFolderAtomic(path, fill({ a: "new", b: "new", c: "new" }), { force: true });
    expect((await readdir(path)).sort()).toEqual(["a", "b", "c"]);
    expect(await readFile(join(path, "a"), "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["model"]);
  });

  test("force does not delete files that the new folder lacks", async () => {
    const path = join(folder, "model");
    await writeFolderAtomic(path, fill({ a: "old", thesis: "years of work" }));
    const writing = writeFolderAtomic(path, fill({ a: "new" }), { force: true });
    await expect(writing).rejects.toThrow(/holds files that the new folder does not \(thesis\)/);
    expect((await readdir(path)).sort()).toEqual(["a", "thesis"]);
    expect(await readFile(join(path, "a"), "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["model"]);
  });

  test.each([
    ["a file below the first level", "onnx/notes.txt"],
    ["an empty folder", "onnx/mine/"],
    ["a folder in a file's place", "a/"],
    ["a hidden file", ".git/HEAD"],
  ])("force refuses where %s would be lost, before and after the work", async (_, name) => {
    const path = join(folder, "model");
    const [place, isFolder] = [join(path, name), name.endsWith("/")];
    await mkdir(isFolder ? place : dirname(place), { recursive: true });
    if (!isFolder) await writeFile(place, "mine");
    const refused = new RegExp(`holds files that the new folder does not \\(.*${name.replaceAll(".", "\\.")}`);
    await expect(writeFolderAtomic(path, deep("new"), { force: true })).rejects.toThrow(refused);
    await expect(refuseFolder(path, ["a", "onnx/b"], { force: true })).rejects.toThrow(refused);
    expect(await filesWithin(folder)).toContain(`model/${name}`);
    expect(await readdir(folder)).toEqual(["model"]);
  });

  test("force replaces what is the same at every depth, and refuses a file or a link in its place", async () => {
    const path = join(folder, "model");
    await writeFolderAtomic(path, deep("old"));
    await refuseFolder(path, ["a", "onnx/b"], { force: true });
    await writeFolderAtomic(path, deep("new"), { force: true });
    expect(await readFile(join(path, "onnx/b"), "utf8")).toBe("new");
    await symlink(path, join(folder, "link"));
    await expect(writeFolderAtomic(join(folder, "link"), deep("x"), { force: true })).rejects.toThrow(/is a link and/);
    await writeFile(join(folder, "file"), "mine");
    await expect(writeFolderAtomic(join(folder, "file"), deep("x"), { force: true })).rejects.toThrow(/is a file and/);
    expect((await readdir(folder)).sort()).toEqual(["file", "link", "model"]);
  });
});
