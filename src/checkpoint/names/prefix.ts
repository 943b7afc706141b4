/**
 * What stands before every name of a file: torch.compile writes `_orig_mod.`, DataParallel `module.`, Lightning and wrapper modules the
 * attribute that holds the model. One prefix is taken off; two are two models.
 */

import { matchesGlob } from "../../files/glob.ts";
import { badInput } from "../../tensor/error.ts";
import { quote } from "../formats/header-json.ts";

/** A model is where two of these stand behind one prefix; `text.`, which open_clip's CustomTextCLIP has, is no part of it. */
const MARKS = [
  /(?<=^|\.)visual\.(conv1\.weight|class_embedding|attnpool\.positional_embedding)$/,
  /(?<=^|\.)(text\.)?(token_embedding\.weight|ln_final\.weight)$/,
  /(?<=^|\.)vision_model\.(embeddings\.patch_embedding\.weight|post_layernorm\.weight)$/,
  /(?<=^|\.)text_model\.(embeddings\.token_embedding\.weight|final_layer_norm\.weight)$/,
];

/**
 * The prefix of the model among these names: empty, or up to and with a dot. `asked` chooses among several. Throws `bad-input` when
 * there are several and none is asked for, and when the one asked for is not there; `file` is named.
 */
export function findPrefix(names: Iterable<string>, file: string, asked?: string): string {
  const marks = new Map<string, number>();
  for (const name of names) {
    const mark = MARKS.map((pattern) => pattern.exec(name)?.index).find((index) => index !== undefined);
    if (mark !== undefined) marks.set(name.slice(0, mark), (marks.get(name.slice(0, mark)) ?? 0) + 1);
  }
  const prefixes = [...marks].filter(([, count]) => count > 1).map(([prefix]) => prefix);
  if (asked !== undefined) {
    const found = [asked, `${asked}.`].find((prefix) => prefixes.includes(prefix));
    if (found === undefined)
      throw badInput(`--prefix ${quote(asked)}: ${file} has no model under that name; there are ${shown(prefixes)}`);
    return found;
  }
  if (prefixes.length > 1) {
    throw badInput(
      `${file} holds ${prefixes.length} models, their tensors named ${shown(prefixes)}; say which with --prefix NAME`,
    );
  }
  return prefixes[0] ?? "";
}

function shown(prefixes: readonly string[]): string {
  const some = prefixes.slice(0, 5).map((prefix) => (prefix === "" ? "without a prefix" : `${quote(prefix)}...`));
  return `${some.join(" and ") || "none"}${prefixes.length > 5 ? ` and ${prefixes.length - 5} more` : ""}`;
}

/** The model's tensors, the prefix of their names taken off, and those to pass over: by pattern, or of another model than the one asked for. */
export function chooseTensors(
  names: Iterable<string>,
  file: string,
  { ignoreTensors = [], prefix: asked }: { readonly ignoreTensors?: readonly string[]; readonly prefix?: string },
): { readonly prefix: string; readonly bare: ReadonlySet<string>; readonly ignored: readonly string[] } {
  const all = [...names];
  const isIgnored = (name: string) => ignoreTensors.some((pattern) => matchesGlob(name, pattern));
  const present = all.filter((name) => !isIgnored(name));
  const prefix = findPrefix(present, file, asked);
  const ours = present.filter((name) => name.startsWith(prefix));
  const bare = new Set(ours.map((name) => name.slice(prefix.length)));
  const kept = new Set(asked === undefined ? present : ours);
  return { prefix, bare, ignored: all.filter((name) => !kept.has(name)) };
}
