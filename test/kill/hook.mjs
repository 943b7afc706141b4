/**
 * node --import hook.mjs: SIGKILL to itself before operation KILL_AT, counted from 1, of those that change the disk. Where KILL_LOG names a file,
 * the operations are listed there at the end instead. Its clock stands still, so that two runs leave the same bytes, dates and seconds included.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { still } from "./still.mjs";

still();
const at = Number(process.env.KILL_AT ?? 0);
const done = [];
const write = fs.writeFileSync;

function before(what, where) {
  done.push(`${what} ${where}`);
  if (done.length === at) process.kill(process.pid, "SIGKILL");
}

const paths = (args) =>
  args
    .filter((arg) => typeof arg === "string")
    .slice(0, 2)
    .join(" -> ");
const isWriting = (flags = "r") =>
  typeof flags === "number"
    ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC)) !== 0
    : /[wa+]/.test(flags);

/** Wraps methods of an object; `where` tells the arguments that matter. */
function watch(object, names, where = paths, counts = () => true) {
  for (const name of names) {
    const original = object[name];
    if (typeof original !== "function") continue;
    object[name] = function (...args) {
      if (counts(args)) before(name, where(args));
      return original.apply(this, args);
    };
  }
}

const changes = [
  "appendFile",
  "chmod",
  "copyFile",
  "cp",
  "link",
  "mkdir",
  "mkdtemp",
  "rename",
  "rm",
  "rmdir",
  "symlink",
];
changes.push("truncate", "unlink", "utimes", "lutimes", "writeFile");
const onHandles = ["appendFile", "datasync", "sync", "truncate", "write", "writeFile", "writev", "utimes", "chmod"];
const onNumbers = ["fdatasync", "fsync", "ftruncate", "write", "writev", "futimes", "fchmod"];

const probe = await fs.promises.open(import.meta.filename);
watch(Object.getPrototypeOf(probe), onHandles, () => "");
await probe.close();
watch(fs.promises, changes);
watch(fs.promises, ["open"], paths, ([, flags]) => isWriting(flags));
for (const suffix of ["", "Sync"]) {
  watch(fs, changes.map((name) => name + suffix)); // biome-ignore format: one line
  watch(fs, [`open${suffix}`], paths, ([, flags]) => isWriting(typeof flags === "function" ? "r" : flags));
  watch(
    fs,
    onNumbers.map((name) => name + suffix),
    () => "",
    ([number]) => number > 2,
  ); // not what is printed
}
syncBuiltinESMExports();

const { KILL_LOG } = process.env;
if (KILL_LOG) process.on("exit", () => write(KILL_LOG, `${done.join("\n")}\n`));
