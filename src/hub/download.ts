/** One file into the cache: goes on where an earlier try ended, and is taken only if its bytes hash to what the hub states. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { badInput } from "../tensor/error.ts";
import { blobPath } from "./cache.ts";
import { type Hub, type HubFile, openFile } from "./client.ts";
import type { Repo } from "./repo.ts";
import { Cut, retrying } from "./retry.ts";

/** A commit of a repository. */
export interface Place {
  readonly hub: Hub;
  readonly repo: Repo;
  readonly commit: string;
}

/**
 * Bring a file's blob into the cache; returns the bytes that had to be fetched, 0 if it is there. What arrives is kept in
 * HASH.incomplete, as Python does, and a later call goes on from its end. Two processes at work on one file spoil it, which the
 * checksum finds. Throws `unavailable` when the hub cannot be reached, `bad-input` when it sends other bytes than it promised.
 */
export async function download(
  place: Place,
  file: HubFile,
  arrived: (bytes: number) => void = () => {},
): Promise<number> {
  const blob = blobPath(place.repo, file.hash);
  if ((await sizeOf(blob)) === file.size) return 0;
  await mkdir(dirname(blob), { recursive: true });
  const part = `${blob}.incomplete`;
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
    `${place.repo.id}: the checksum of ${file.path} is ${found}, the hub states ${file.hash}; what arrived was not kept`,
  );
}

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
      for await (const chunk of chunks) {
        if (have + chunk.length > file.size)
          throw badInput(`${repo.id}: ${file.path} has more than the ${file.size} bytes that the hub states`);
        await append(out, chunk);
        have += chunk.length;
        fetched += chunk.length;
        arrived(chunk.length);
        moved();
      }
      if (have < file.size) throw new Cut(`${file.path} ended after ${have} of ${file.size} bytes`);
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
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
