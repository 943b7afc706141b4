/** A process that runs a recipe, to be killed. */
import { silent, withContext } from "../src/jobs/context.ts";
import { run } from "../src/sweep/commands.ts";

const [recipe, store] = process.argv.slice(2);
await withContext({ device: "cpu" }, { progress: silent }, (context) => run({ recipe, store, jobs: 2 }, context));
