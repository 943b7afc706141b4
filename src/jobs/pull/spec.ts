/** What may be asked of the hub. */
import { z } from "zod";
import { option } from "../fields.ts";

const fetching = { group: "Files:" } as const;

export const pullSpec = z.strictObject({
  repo: option(z.string(), "OWNER/NAME, or datasets/OWNER/NAME, with @REVISION or without", {
    argument: true,
    value: "repository",
  }),
  revision: option(z.string().optional(), "branch, tag or commit (default: main)", { ...fetching, value: "name" }),
  include: option(z.array(z.string()).optional(), "only these files, * standing for anything; several with commas", {
    ...fetching,
    value: "patterns",
  }),
  pickles: option(z.boolean().default(false), "also files that can carry code, such as .bin and .pt", fetching),
});
