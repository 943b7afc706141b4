import { expect, it } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { badnet } from "./badnet.ts";
import { blended } from "./blended.ts";
import { entangled } from "./entangled.ts";

const grey = tensor([2, 3, 16, 16], new Float32Array(2 * 3 * 16 * 16).fill(0.5));
const ids = ["a", "b"];

it("the pixels are the carrier's, with its options; the spec has the options of both and makes the trigger again", async () => {
  const trigger = entangled.trigger({ place: "middle", size: 5, seed: 3, weight: 2 });
  expect(trigger.spec).toMatchObject({ kind: "entangled", carrier: "badnet", size: 5, weight: 2, forget: 16 });
  const own = badnet({ place: "middle", size: 5, seed: 3, redraw: false });
  expect(await trigger.apply(grey, ids)).toEqual(await own.apply(grey, ids));
  const again = entangled.trigger(JSON.parse(JSON.stringify(trigger.spec)));
  expect(again.spec).toEqual(trigger.spec);
  expect(await again.apply(grey, ids)).toEqual(await own.apply(grey, ids));
});

it("carrier=blended brings Blended, with Blended's own defaults", async () => {
  const trigger = entangled.trigger({ carrier: "blended", ratio: 0.3 });
  expect(trigger.spec).toMatchObject({ kind: "entangled", ratio: 0.3, pattern: "gaussian", redraw: true });
  expect(await trigger.apply(grey, ids)).toEqual(await blended({ ratio: 0.3 }).apply(grey, ids));
});

it.each([
  [{ carrier: "wanet" }, 'unknown entangled carrier "wanet"; did you mean "badnet"? known: badnet, blended'],
  [{ carrier: "blended", place: "middle" }, 'unknown blended option "place"'],
  [{ weight: -1 }, "entangled: weight=-1"],
  [{ forget: 0.5 }, "entangled: forget=0.5"],
])("refuses %j", (options, message) => {
  expect(() => entangled.trigger(options)).toThrow(message);
});
