import { expect, test } from "vitest";
import { defensesNamed } from "../../defenses/index.ts";
import { cleanStages } from "./stages.ts";

const names = (stages: readonly { readonly what: string }[]) => stages.map(({ what }) => what);
const cleaning = {
  defenses: defensesNamed(["plain", "fisher"]),
  forget: 100,
  clean: 40,
  validation: 50,
  test: 200,
  epochs: 2,
  checks: 150,
  recoverySteps: 10,
  curvePoints: 0,
  hasControl: false,
};

test("of a cleaning: fisher searches four times, and trains nothing that plain did already", () => {
  const stages = cleanStages(cleaning);
  expect(names(stages)).toEqual(["measure before", "plain", "plain: alpha", "plain: test", "fisher", "fisher: alpha", "fisher: test", "verify", "recovery"]); // biome-ignore format: a list
  const at = (what: string) => stages.find((stage) => stage.what === what);
  expect(at("measure before")).toMatchObject({ encoded: 500 });
  expect(cleanStages({ ...cleaning, test: 2000, hasControl: true })[0]).toMatchObject({ encoded: 4100 + 100 + 1000 });
  expect(at("plain")).toMatchObject({ trained: 200 });
  expect(at("fisher")).toMatchObject({ trained: 490, encoded: 100 });
  expect(at("fisher: alpha")).toMatchObject({ searched: 400 });
  expect(at("verify")).toMatchObject({ encoded: 900 });
  expect(at("recovery")).toMatchObject({ trained: 320 });
  const alone = cleanStages({ ...cleaning, defenses: defensesNamed(["fisher"]), checks: 0 });
  expect(alone.find(({ what }) => what === "fisher")).toMatchObject({ trained: 690 });
  expect(names(alone)).not.toContain("recovery");
});

test("what was learned elsewhere is not trained again, and a part takes less", () => {
  const at = (more: object) =>
    Object.fromEntries(cleanStages({ ...cleaning, ...more }).map(({ what, trained }) => [what, trained]));
  expect(at({ learned: true })).toMatchObject({ plain: undefined, fisher: 490 });
  expect(at({ defenses: defensesNamed(["fisher"]), learned: true })).toMatchObject({ fisher: 490 });
  expect(at({ step: { forward: false, trained: 0.75 } })).toMatchObject({ plain: 150, fisher: 367.5 });
});
