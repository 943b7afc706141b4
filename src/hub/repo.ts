/** Which repository of the hub is meant: its kind, name and revision, all of them fit to be parts of URLs and paths. */
import { badInput } from "../tensor/error.ts";

export interface Repo {
  readonly kind: "model" | "dataset";
  /** OWNER/NAME, or the bare NAME that some old ones have. */
  readonly id: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

const part = /^[A-Za-z0-9][\w.-]{0,95}$/;

/**
 * From `OWNER/NAME`, `datasets/OWNER/NAME`, either with `@REVISION` behind and `hf:` in front. The revision is `main` unless
 * told. Throws `bad-input` on anything else.
 */
export function parseRepo(text: string, revision?: string): Repo {
  const [, dataset, id = "", stated] = /^(?:hf:)?(datasets\/)?([^@]*)(?:@(.*))?$/s.exec(text) ?? [];
  if (!isRepoId(id)) {
    throw badInput(
      `"${text}" names no repository of the hub; expected OWNER/NAME or datasets/OWNER/NAME, with @REVISION or without`,
    );
  }
  if (stated !== undefined && revision !== undefined && stated !== revision)
    throw badInput(`two revisions of ${id} are asked for: ${stated} and ${revision}`);
  return {
    kind: dataset === undefined ? "model" : "dataset",
    id,
    revision: checkRevision(revision ?? stated ?? "main"),
  };
}

export function isRepoId(id: string): boolean {
  const parts = id.split("/");
  return parts.length <= 2 && parts.every((name) => part.test(name) && !/--|\.\./.test(name));
}

function checkRevision(revision: string): string {
  if (revision.length <= 200 && isSafePath(revision)) return revision;
  throw badInput(`"${revision}" is no revision; expected a branch, a tag or a commit`);
}

export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** Bytes of one name between slashes that Linux, macOS and Windows take. */
const maxName = 255;

/** Does a name with slashes stay within the folder it is put into, on every system? */
export function isSafePath(path: string): boolean {
  return (
    path.length <= 1024 &&
    path
      .split("/")
      .every((name) => Buffer.byteLength(name) <= maxName && !/^\.{0,2}$|[\\:*?"<>|\p{Cc}]|[. ]$/u.test(name))
  );
}
