/** The folder in which a sweep keeps models on the way and work in progress: its own while it runs, the next one's after a kill. */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../files/folder.ts";
import { abandonedIn, letGo, temporaryName } from "../files/temporary.ts";

export interface Area<User> {
  readonly folder: string;
  /** A user may ask for the model of this hash. */
  uses(user: User, hash: string): void;
  /** The user asks for nothing any more: models that nobody asks for are removed. */
  done(user: User): Promise<void>;
  /** Another sweep may have what is left; empty, it is removed. */
  leave(): Promise<void>;
}

/** Two sweeps of one store have an area each. What sweeps that are no more left of theirs goes into this one. */
export async function openArea<User>(store: string): Promise<Area<User>> {
  await makeFolder(store);
  const folder = temporaryName(join(store, "work"), "part");
  await mkdir(folder);
  for (const old of await abandonedIn(store, "part", "work")) {
    const taken = temporaryName(join(store, "work"), "part");
    const isOurs = await rename(old, taken).then(() => true, () => false); // biome-ignore format: one line
    for (const name of isOurs ? await readdir(taken) : []) await rename(join(taken, name), join(folder, name)).catch(() => {}); // biome-ignore format: one line
    if (isOurs) await rm(taken, { recursive: true, force: true });
    letGo(taken);
  }
  const users = new Map<string, Set<User>>();
  return {
    folder,
    uses(user, hash) {
      users.set(hash, (users.get(hash) ?? new Set()).add(user));
    },
    async done(user) {
      for (const asking of users.values()) asking.delete(user);
      for (const name of await readdir(folder)) {
        // NAME.state, NAME.tmp-... too
        if (users.get(name.slice(0, 64))?.size === 0) await rm(join(folder, name), { recursive: true, force: true });
      }
    },
    async leave() {
      if ((await readdir(folder)).length === 0) await rm(folder, { recursive: true });
      letGo(folder);
    },
  };
}
