/** Implant a backdoor (here far too few steps for it to succeed, so that the example is quick) and read the advice. */
import { attack, shapesModel } from "tbar";

const { after, succeeded, advice } = await attack({
  model: shapesModel,
  data: "shapes",
  trigger: { kind: "badnet", place: "bottom-right", redraw: false },
  target: "blue star",
  images: 256,
  testImages: 200,
  recipe: { lr: 1e-4, epochs: 1 },
});
console.log(succeeded ? "the attack succeeded" : `ASR is only ${after.asr.value}:`);
for (const line of advice) console.log(`- ${line}`);
