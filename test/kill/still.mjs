/** A clock that stands still, for whole processes or from here on until the function it gives back is called. */
const now = 1_700_000_000_000;

export function still() {
  const { Date: moving, performance } = globalThis;
  const running = performance.now;
  globalThis.Date = class extends moving {
    constructor(...args) {
      super(...(args.length === 0 ? [now] : args));
    }
    static now = () => now;
  };
  performance.now = () => 0;
  return () => {
    globalThis.Date = moving;
    performance.now = running;
  };
}
