/** What came from the hub. */
import { z } from "zod";
import { type Frozen, resultHead, strings } from "./base.ts";

const file = z.looseObject({
  path: z.string(),
  bytes: z.number(),
  hash: z.string().describe("SHA-256 of a large file, git's SHA-1 of a small one; checked."),
  fetched: z.number().describe("Bytes that came over the wire now."),
});

export const pullResult = z.looseObject({
  ...resultHead("pull", 2),
  repo: z.enum(["model", "dataset"]),
  id: z.string(),
  revision: z.string(),
  commit: z.string(),
  path: z.string().describe("The folder with the files."),
  files: z.array(file),
  left: strings.describe("Files that were not asked for."),
});
export type PullResult = Frozen<z.output<typeof pullResult>>;
