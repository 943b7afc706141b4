/** The process that `run.ts` watches: it is sent paths, tries to read what is there, and tells how that went. */
import { readFileSync } from "node:fs";
import { attempt } from "./attempt.ts";

process.on("message", async (path: string) => {
  const found = await attempt(path);
  process.send?.({ ...found, peak: peakMiB() });
});

/** Of this program alone: what getrusage says begins with the process that started it. */
function peakMiB(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS / 1024;
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}
