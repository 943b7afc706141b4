/** tbar schema: what may be asked of a job, and what it answers, as JSON Schema. */
import { unknownName } from "../../tensor/error.ts";
import { jobs } from "../all-jobs.ts";
import { command } from "../command.ts";
import type { Perform } from "../outcome.ts";

export const schemaCommand = (perform: Perform) =>
  command("schema", {
    summary: "what a job takes and answers, as JSON Schema",
    about:
      "Prints the JSON Schema of a job, or of all by name. Its root is what --config takes, with defaults, ranges and help; " +
      "$defs/result is what --json prints.",
    examples: ["tbar schema merge > merge.schema.json", "tbar schema vector diff"],
  })
    .argument("[job...]", "a job, as on the command line")
    .action((words) =>
      perform({ json: true, quiet: true }, async () => {
        const { schemaOf } = await import("../../jobs/json-schema.ts");
        const asked = words.join(" ");
        if (asked !== "" && jobs[asked] === undefined) throw unknownName("job", asked, Object.keys(jobs));
        if (asked !== "") return { json: schemaOf(await jobs[asked].load()), text: "" };
        const all = Object.entries(jobs).map(async ([name, { load }]) => [name, schemaOf(await load())] as const);
        return { json: Object.fromEntries(await Promise.all(all)), text: "" };
      }),
    );
