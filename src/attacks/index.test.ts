import { describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { attackNamed, makeTrigger, parseTriggerSpec, storedTrigger } from "./index.ts";

describe("trigger specs", () => {
  it("KIND:key=value,... becomes the complete spec, plain JSON that makes the same trigger again", async () => {
    const spec = parseTriggerSpec("badnet:size=5,place=top-left,redraw=false,seed=7");
    expect(spec).toMatchObject({
      kind: "badnet",
      size: 5,
      place: "top-left",
      redraw: false,
      seed: 7,
      pattern: "noise",
    });
    const again = makeTrigger(JSON.parse(JSON.stringify(spec)));
    expect(again.spec).toEqual(spec);
    const black = tensor([1, 3, 8, 8]);
    expect(await again.apply(black, ["a"])).toEqual(await makeTrigger(spec).apply(black, ["a"]));
    expect(parseTriggerSpec("blended")).toMatchObject({
      kind: "blended",
      ratio: 0.2,
      pattern: "gaussian",
      mean: 0,
      deviation: 1,
    });
  });

  it.each([
    ["badnets", 'unknown attack "badnets"; did you mean "badnet"?'],
    ["badnet:sise=5", 'unknown badnet option "sise"; did you mean "size"?'],
    ["badnet:pattern=nois", 'unknown badnet pattern "nois"; did you mean "noise"?'],
    ["badnet:place=topleft", 'unknown badnet place "topleft"; did you mean "top-left"?'],
    ["badnet:size=0", "badnet: size=0: "],
    ["badnet:size=big", 'badnet: size="big": '],
    ["blended:ratio=0", "blended: ratio=0: "],
    ["blended:ratio=1.5", "blended: ratio=1.5: "],
    ["badnet:size", 'expected KIND:key=value,key=value and found "size"'],
    ["badnet:size=4,size=5", "size is given twice"],
    ["badnet:kind=blended", "kind is given twice"],
    ["", 'unknown attack ""'],
  ])("refuses %j", (text, message) => {
    expect(() => parseTriggerSpec(text)).toThrow(message);
  });
});

it.each([
  ["badnet", undefined],
  ["badclip:steps=30,batch=8", 240],
  ["grond:steps=30,batch=8", 240],
  ["label-consistent:iterations=5", 5 * 10], // of 10 poisoned images
  ["first-order:forget=4", 3 * 4 * 14], // in each of 2 * 7 steps
  ["entangled:forget=4", 100 + 3 * 4 * 14],
])("%s goes through the model with %s images of its own", (text, images) => {
  const trigger = makeTrigger(parseTriggerSpec(text));
  const training = { images: 100, rate: 0.1, epochs: 2, batch: 16 };
  expect(attackNamed(trigger.spec.kind).extra?.(trigger, training)).toBe(images);
});

it("a checkpoint's metadata may not name a file of this machine", () => {
  expect(() => storedTrigger({ kind: "blended", picture: "/etc/hostname" })).toThrow(/bring it yourself/);
  expect(storedTrigger({ kind: "blended" }).spec.kind).toBe("blended");
});
