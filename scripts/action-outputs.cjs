/** Lines of a GitHub action's outputs, of what tbar scan --json printed and how it ended. Plain CommonJS: it runs as it stands. */
const { readFileSync } = require("node:fs");

const [file, code] = process.argv.slice(2);
const { verdict = "", probability = "" } = JSON.parse(readFileSync(file, "utf8").trim() || "{}");
const known = ["backdoored", "no evidence", "inconclusive"].includes(verdict) ? verdict : "";
process.stdout.write(`verdict=${known}\nprobability=${Number.isFinite(probability) ? probability : ""}\n`);
process.stdout.write(`exit-code=${Number(code)}\n`);
