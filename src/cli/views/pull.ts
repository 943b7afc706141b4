/** What came from the hub, for eyes. */
import type { PullResult } from "../../results/pull.ts";
import { printable } from "../../tensor/printable.ts";
import { bytesText } from "../text.ts";

export function pullText({ id, revision, commit, path, files, left }: PullResult): string {
  const sum = (of: "bytes" | "fetched") => bytesText(files.reduce((total, file) => total + file[of], 0));
  return [
    `${id} at ${revision === commit ? commit : `${revision} (${commit})`}\n`,
    files.length === 0
      ? ""
      : `${files.length} files, ${sum("bytes")}, all checksums as the hub states (${sum("fetched")} fetched)\n`,
    left.length === 0
      ? ""
      : `Left out: ${left
          .slice(0, 6)
          .map((path) => printable(path))
          .join(", ")}${left.length > 6 ? `, ... (${left.length})` : ""}\n`,
    `In: ${printable(path, 4000)}\n`,
  ].join("");
}
