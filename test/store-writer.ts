/** A process that keeps one result many times, beside another that does. */
import { openStore } from "../src/store/store.ts";

const [folder, value] = process.argv.slice(2);
const address = { job: "clean", spec: { seed: 1, "recipe.lr": 1e-3 }, schema: "tbar/clean/2", tbar: "0.1.0" };
const values = Array.from({ length: 20_000 }, () => Number(value));
for (let i = 0; i < 40; i++) await openStore(folder).put(address, { value: Number(value), values });
process.disconnect();
