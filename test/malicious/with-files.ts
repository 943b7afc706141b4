import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Run `work` on the first of these files, or the folder it is in, written to a folder of its own that is gone afterwards. */
export async function withFiles<T>(
  files: Readonly<Record<string, Uint8Array>>,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "tbar-malicious-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    const [first] = Object.keys(files);
    return await work(join(folder, first.includes("/") ? dirname(first) : first));
  } finally {
    await rm(folder, { recursive: true });
  }
}
