/** Folders with all that lead to them. */
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { badInput } from "../tensor/error.ts";
import { isFolder } from "./files.ts";
import { writeError } from "./write-error.ts";

/**
 * Make a folder and those above it; what is there stays. One level at a time: node's own `recursive` asks without end where a file system
 * makes no folders, such as /proc. Throws `bad-input` that names the first one which cannot be made.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isFolder(at)); at = dirname(at)) missing.unshift(at);
  for (const folder of missing)
    await mkdir(folder).catch(async (error) => {
      if (await isFolder(folder)) return; // another process was faster
      if (error.code === "ENOENT") throw badInput(`no folder can be made in ${dirname(folder)}`, error);
      if (error.code === "EEXIST") throw badInput(`${folder} is no folder, and none can be made of that name`, error);
      throw writeError(folder, folder, error);
    });
}
