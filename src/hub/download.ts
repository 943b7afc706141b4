/** One file into the cache: goes on where an earlier try ended, and is taken only if its bytes hash to what the hub states. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../files/folder.ts";
import { abandoned, letGo, temporaryName } from "../files/temporary.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { blobPath } from "./cache.ts";
import { type HubFile, openFile } from "./client.ts";
import type { Repo } from "./repo.ts";
import type { Hub } from "./request.ts";
import { Cut, retrying } from "./retry.ts";

/** A commit of a repository. */
export interface Place {
  readonly hub: Hub;
  readonly repo: Repo;
  readonly commit: string;
}

/**
 * Bring a file's blob into the cache; returns the bytes that had to be fetched, 0 if it is there. What arrives is kept under a name of
 * this process's own, which another call goes on with once this one has ended or was killed: two at work on one file fetch it
 * twice. Throws `unavailable` when the hub cannot be reached, `bad-input` when it sends other bytes than it promised.
 */
export async function download(
  place: Place,
  file: HubFile,
  arrived: (bytes: number) => void = () => {},
): Promise<number> {
  const blob = blobPath(place.repo, file.hash);
  if ((await sizeOf(blob)) === file.size) return 0;
  await makeFolder(dirname(blob));
  const part = temporaryName(blob, "part");
  try {
    await takeUp(blob, part);
    const before = (await sizeOf(part)) ?? 0;
    const fetched = await fill(place, file, part, arrived);
    const found = await digest(part, file);
    if (found === file.hash) {
      await rename(part, blob);
      return fetched;
    }
    await rm(part);
    if (fetched < file.size && before > 0) return fetched + (await download(place, file, arrived)); // the old part was bad
    throw badInput(
      `${place.repo.id}: the checksum of ${printable(file.path)} is ${found}, the hub states ${file.hash}; what arrived was not kept`,
    );
  } finally {
    letGo(part);
  }
}

/** Milliseconds without a change after which Python's HASH.incomplete is taken for left: longer than a living download is silent. */
const leftAfter = 30_000;

/** Makes the largest part that an earlier call left our own; the smaller ones are of no use. */
async function takeUp(blob: string, part: string): Promise<void> {
  const left = await abandoned(blob, "part");
  const python = `${blob}.incomplete`;
  const found = await stat(python).catch(() => undefined);
  if (found?.isFile() && found.mtimeMs < Date.now() - leftAfter) left.push(python);
  const sizes = await Promise.all(left.map(async (path) => (await sizeOf(path)) ?? -1));
  for (const [, path] of left.map((path, i) => [sizes[i], path] as const).sort(([a], [b]) => b - a)) {
    if ((await sizeOf(part)) === undefined)
      await rename(path, part).catch(() => {}); // another process was quicker
    else await rm(path, { force: true });
  }
}

/** Bytes of one try that count as getting on: a server that cuts after each few would be asked for ever. */
const progress = 32 * 2 ** 10;

/** Lets the file `part` grow to its full size. */
async function fill({ hub, repo, commit }: Place, file: HubFile, part: string, arrived: (bytes: number) => void) {
  const out = await open(part, "a");
  let fetched = 0;
  try {
    let have = (await out.stat()).size;
    if (have > file.size) await out.truncate((have = 0));
    await retrying(hub, async (moved) => {
      if (have === file.size) return;
      const { from, chunks } = await openFile(hub, repo, commit, file, have);
      if (from < have) await out.truncate((have = 0));
      let some = 0;
      for await (const chunk of chunks) {
        if (have + chunk.length > file.size)
          throw badInput(
            `${repo.id}: ${printable(file.path)} has more than the ${file.size} bytes that the hub states`,
          );
        await append(out, chunk);
        have += chunk.length;
        fetched += chunk.length;
        arrived(chunk.length);
        if ((some += chunk.length) >= progress) moved();
      }
      if (have < file.size) throw new Cut(`${printable(file.path)} ended after ${have} of ${file.size} bytes`);
    });
    await out.sync();
  } finally {
    await out.close();
  }
  return fetched;
}

async function append(out: FileHandle, chunk: Uint8Array): Promise<void> {
  await out.writeFile(chunk).catch((error) => {
    throw badInput(`cannot write to the cache: ${error.code === "ENOSPC" ? "the disk is full" : error.message}`, error);
  });
}

/** SHA-256, or git's SHA-1 of a blob: whichever the hub states. */
async function digest(path: string, { hash, size }: HubFile): Promise<string> {
  const hasher = hash.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hasher.update(chunk);
  return hasher.digest("hex");
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}
