/** JSON Schemas of jobs say what their specs and results say. */
import { expect, test } from "vitest";
import { z } from "zod";
import { tbar } from "../../test/terminal.ts";
import { jobs } from "../cli/all-jobs.ts";
import { count, option } from "./fields.ts";
import { schemaOf } from "./json-schema.ts";

const toy = {
  name: "toy",
  about: "Plays.",
  spec: z.strictObject({
    game: option(z.enum(["chess", "go"]), "which game"),
    rounds: option(count().default(3), "how often"),
  }),
  result: z.looseObject({
    schema: z.literal("tbar/toy/2"),
    kind: z.literal("toy"),
    won: z.number().describe("Games won."),
  }),
};

test("the root is the spec before defaults are filled in, the result stands in $defs", () => {
  expect(schemaOf(toy)).toEqual({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "tbar toy",
    description: "Plays.",
    type: "object",
    properties: {
      game: { type: "string", enum: ["chess", "go"], description: "which game" },
      rounds: { type: "integer", minimum: 1, default: 3, description: "how often" },
    },
    required: ["game"],
    additionalProperties: false,
    $defs: {
      result: {
        type: "object",
        properties: {
          schema: { type: "string", const: "tbar/toy/2" },
          kind: { type: "string", const: "toy" },
          won: { type: "number", description: "Games won." },
        },
        required: ["schema", "kind", "won"],
        additionalProperties: {},
      },
    },
  });
});

test.each(Object.keys(jobs))("tbar schema %s prints that of the job", async (name) => {
  const { code, out, err } = await tbar(["schema", ...name.split(" ")]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const printed = JSON.parse(out);
  expect(printed).toEqual(schemaOf(await jobs[name].load()));
  expect(printed.$defs.result.properties.schema.const).toMatch(/^tbar\/[a-z-]+\/\d+$/);
});

test("without a name it prints all; of an unknown one it says which there are", async () => {
  expect(Object.keys(JSON.parse((await tbar(["schema"])).out))).toEqual(Object.keys(jobs));
  const { code, err } = await tbar(["schema", "vector", "dif"]);
  expect(code).toBe(2);
  expect(err).toContain('unknown job "vector dif"; did you mean "vector diff"?');
});
