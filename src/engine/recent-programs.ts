/** Compiled programs of which only the latest stay: each keeps memory of its own. */
import type { Runtime } from "../runtime/compile.ts";
import type { Feeds, Program } from "../runtime/executor.ts";

export interface RecentPrograms {
  /** Run the program of this key, compiled if it is not there. */
  run(key: string, compile: (apart: Runtime) => Promise<Program>, feeds: Feeds): ReturnType<Program["run"]>;
  /** Free the program of this key, if it is there and does not run. */
  free(key: string): Promise<void>;
  /** They are freed with the runtime. */
  forget(): void;
}

/**
 * Programs by key. Where there would be more than `most`, the one longest unused is freed before another is compiled; none while it runs,
 * for requests may come side by side.
 */
export function recentPrograms(runtime: Runtime, most: number): RecentPrograms {
  const kept = new Map<string, { readonly runtime: Runtime; readonly program: Promise<Program>; users: number }>();
  const free = async (key: string) => {
    const one = kept.get(key);
    if (one === undefined || one.users > 0) return;
    kept.delete(key);
    await one.runtime.release();
  };
  const compiled = async (apart: Runtime, compile: (apart: Runtime) => Promise<Program>) => {
    for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size + 1 - most))) await free(old);
    return compile(apart);
  };
  return {
    free,
    async run(key, compile, feeds) {
      const known = kept.get(key);
      kept.delete(key); // set again, it is the youngest
      const apart = known?.runtime ?? runtime.apart();
      const one = known ?? { runtime: apart, program: compiled(apart, compile), users: 0 };
      kept.set(key, one);
      one.users++;
      try {
        return await (await one.program).run(feeds);
      } finally {
        one.users--;
      }
    },
    forget: () => kept.clear(),
  };
}
