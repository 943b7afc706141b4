/** What lies in a folder or an archive: images, folders, texts, and what systems leave there that nobody put there on purpose. */
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { badInput } from "../../tensor/error.ts";
import { foreignEndings, imageEndings } from "../images/image-kind.ts";

/** Names that macOS, Windows, Synology, QNAP, Linux and Jupyter give to files and folders of their own; and all that is hidden. */
const ownNames =
  /^(\..*|__MACOSX|@eaDir|@Recycle|#recycle|lost\+found|\$RECYCLE\.BIN|System Volume Information|Thumbs\.db|desktop\.ini)$/i;

export const isJunk = (name: string): boolean => ownNames.test(name);

/** A path of which no part is junk. */
export const isClean = (path: string): boolean => !path.split(/[/\\]/).some(isJunk);

export const isImageName = (name: string): boolean => imageEndings.includes(extname(name).toLowerCase());

/** An image of a kind that is not read. */
export const isForeignName = (name: string): boolean => foreignEndings.includes(extname(name).toLowerCase());

/** Counts by kind; none is zero once they are summed. */
export type Counts = Readonly<Record<string, number>>;

export function sumCounts(all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const counts of all) for (const [kind, n] of Object.entries(counts)) if (n > 0) sum[kind] = (sum[kind] ?? 0) + n;
  return sum;
}

/** How often each kind stands in a list. */
export const countsOf = (kinds: readonly string[]): Counts => sumCounts(kinds.map((kind) => ({ [kind]: 1 })));

/** The kind under which a file is counted that is not used. */
export const kindOf = (name: string): string => extname(name).toLowerCase().slice(0, 16) || "files without an ending";

export interface Listing {
  readonly images: readonly string[];
  readonly folders: readonly string[];
  /** Files that are no images and no junk. */
  readonly others: readonly string[];
  /** Junk. */
  readonly leftOut: Counts;
}

/** Names sorted by character code as Python does; links followed. Throws `bad-input` on a name that is no UTF-8: Node reads it as another. */
export async function listFolder(folder: string): Promise<Listing> {
  const images: string[] = [];
  const folders: string[] = [];
  const others: string[] = [];
  const junk: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { name } = entry;
    if (name.includes("\ufffd") && !existsSync(join(folder, name)))
      throw badInput(
        `${join(folder, name)}: its name is no UTF-8, and a file of that name cannot be opened; rename it`,
      );
    if (isJunk(name)) {
      junk.push(name.startsWith(".") ? "hidden" : name);
      continue;
    }
    const linked = entry.isSymbolicLink() ? await stat(join(folder, name)).catch(() => undefined) : entry;
    if (linked?.isDirectory()) folders.push(name);
    else if (isImageName(name)) images.push(name);
    else others.push(name);
  }
  return { images: images.sort(), folders: folders.sort(), others: others.sort(), leftOut: countsOf(junk) };
}
