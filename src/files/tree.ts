/** What lies in a folder, at any depth, by its path from there. Links are not followed. */
import { opendir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";

/** All files and, with a slash behind, folders; those in a folder come after it. */
export async function filesWithin(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const name of walk(folder)) found.push(name);
  return found;
}

/** The first few things in a folder that are not among these names. */
export async function foreignTo(folder: string, names: ReadonlySet<string>, most = 5): Promise<string[]> {
  const found: string[] = [];
  for await (const name of walk(folder)) {
    if (!names.has(name) && found.push(name) === most) break;
  }
  return found;
}

/** Removes those of these names that the folder has, and the folder if nothing is left in it. */
export async function removeFiles(folder: string, names: ReadonlySet<string>): Promise<void> {
  const found = (await filesWithin(folder)).filter((name) => names.has(name));
  for (const name of found.reverse()) {
    const path = join(folder, name);
    if (name.endsWith("/"))
      await rmdir(path).catch(() => {}); // something else is in it
    else await rm(path, { force: true });
  }
  await rmdir(folder).catch(() => {});
}

async function* walk(folder: string, inside = ""): AsyncGenerator<string> {
  for await (const entry of await opendir(join(folder, inside))) {
    const name = `${inside}${entry.name}`;
    if (!entry.isDirectory()) yield name;
    else {
      yield `${name}/`;
      yield* walk(folder, `${name}/`);
    }
  }
}
