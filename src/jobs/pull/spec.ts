/** What may be asked of the hub. */
import { z } from "zod";
import { a, option, under } from "../fields.ts";

const fetching = under("Files:");

export const pullSpec = z.strictObject({
  repo: option(z.string(), "OWNER/NAME, or datasets/OWNER/NAME, with @REVISION or without", {
    argument: true,
    value: "repository",
  }),
  revision: fetching(a.text(), "branch, tag or commit (default: main)", "name"),
  include: fetching(
    z.array(z.string()).optional(),
    "only these files, * standing for anything; several with commas",
    "patterns",
  ),
  pickles: fetching(a.isAsked(), "also files that can carry code, such as .bin and .pt"),
});
export type PullSpec = z.output<typeof pullSpec>;
