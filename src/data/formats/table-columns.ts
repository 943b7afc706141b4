/** What a table of images has: rows, and the columns (or keys) that say which image, label and caption. */
import type { StoredLabel } from "./labels.ts";
import type { Encoding } from "./text.ts";

/** What to do with a row that cannot be used. */
export type Bad = (id: string, reason: string) => void;

export interface Row {
  /** "row 3": from 1, below the header; "line 3" where there is none. */
  readonly id: string;
  readonly image: string;
  readonly label?: StoredLabel;
  readonly caption?: string;
}

export interface Table {
  readonly rows: Row[];
  /** The columns, or the like, that labels and captions come from. */
  readonly label?: string;
  readonly caption?: string;
  /** Columns of no use. */
  readonly unused: readonly string[];
}

export interface RowOptions {
  readonly encoding?: Encoding;
  readonly skipBad: boolean;
  readonly bad: Bad;
}

/** By which names columns and keys go, the likeliest first. */
export const roles = {
  image: ["image", "filepath", "file_name", "filename", "image_path", "image_name", "img_path", "path", "img"],
  label: ["label", "labels", "class", "class_name", "classname", "category", "cls"],
  caption: ["caption", "title", "text", "captions", "sentence", "comment", "alt_text"],
} as const;
export type Columns = Partial<Record<keyof typeof roles, number>>;

export const maxLine = 1 << 20;
/** Where the names of a header, in any case and order, stand for what we look for. */
export function columnsOf(names: readonly string[]): Columns {
  const plain = names.map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/^"(.*)"$/, "$1"),
  );
  const find = (role: keyof typeof roles) => roles[role].map((name) => plain.indexOf(name)).find((at) => at >= 0);
  return { image: find("image"), label: find("label"), caption: find("caption") };
}

export const isComplete = ({ image, label, caption }: Columns) =>
  image !== undefined && (label !== undefined || caption !== undefined);
