/** How accurate is a checkpoint, and does the trigger it names still work? */
import { evaluate, shapesBadnetModel } from "tbar";

const { ca, asr, target } = await evaluate({ model: shapesBadnetModel, data: "shapes", testImages: 400 });
console.log(
  `clean accuracy ${ca.value} of ${ca.n} images (95 %: ${ca.interval.map((v) => v.toFixed(3)).join(" to ")})`,
);
console.log(`with the trigger ${asr?.value} are taken for "${target}"`);
