/** Implant a backdoor (here far too few steps for it to take, so that the example is quick) and read the advice. */
import { attack, shapesModel } from "tbar";

const { after, took, advice } = await attack({
  model: shapesModel,
  data: "shapes",
  trigger: "badnet:place=bottom-right,redraw=false",
  target: "blue star",
  images: 256,
  testImages: 200,
  recipe: { lr: 1e-4, epochs: 1, batch: 64, warmup: 0.1, weightDecay: 0, clip: 1, seed: 1 },
});
console.log(took ? "the attack took" : `ASR is only ${after.asr.value}:`);
for (const line of advice) console.log(`- ${line}`);
