/** The process in which a job runs that child.ts watches over: it is told what to do, tells what it does, and ends. */
import { watchTemporaries } from "../files/atomic.ts";
import { endWithParent } from "../process/fork.ts";
import { stopWhenTold, tellTemporary } from "../process/supervise.ts";
import { unknownName } from "../tensor/error.ts";
import type { Failure, Request, Told } from "./child.ts";
import type { Progress } from "./context.ts";
import type { Listed } from "./index.ts";
import { runJob } from "./run-job.ts";

const stop = new AbortController();
stopWhenTold(() => stop.abort());
endWithParent(0);
watchTemporaries(tellTemporary);
process.on("uncaughtException", (error) => void end({ failure: failureOf(error) }));
process.channel?.ref(); // until it knows what to do
process.once("message", (request: Request) => {
  process.channel?.unref();
  answerTo(request).then(
    (result) => end({ result }),
    (error) => end({ failure: failureOf(error) }),
  );
});

async function answerTo({ name, spec, command, list }: Request): Promise<unknown> {
  const { jobs } = (await import(list)) as { readonly jobs: Readonly<Record<string, Listed>> };
  if (!Object.hasOwn(jobs, name)) throw unknownName("job", name, Object.keys(jobs));
  return runJob(await jobs[name].load(), spec as Record<string, unknown>, { progress, signal: stop.signal, command });
}

function tell(told: Told): void {
  if (process.connected) process.send?.(told);
}

const step =
  <Step extends keyof Progress>(step: Step) =>
  (...given: Parameters<NonNullable<Progress[Step]>>) =>
    tell({ step, given });
const progress: Progress = { stage: step("stage"), step: step("step"), plan: step("plan"), opened: step("opened") };

async function end(told: Told): Promise<void> {
  if (process.connected) await new Promise((done) => process.send?.(told, done));
  process.exit();
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack, code, syscall } = error as NodeJS.ErrnoException;
  const isText = (value: unknown) => typeof value === "string";
  return { name, message, stack, ...(isText(code) && { code }), ...(isText(syscall) && { syscall }) };
}
