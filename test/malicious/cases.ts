/** Files made to do harm, by class; what tbar says to each. Most would run code, or fill memory or disk, in a careless reader. */
import { archiveCases } from "./archive-cases.ts";
import type { Case } from "./forge.ts";
import { headerCases } from "./header-cases.ts";
import { pickleCases } from "./pickle-cases.ts";

export const cases: readonly Case[] = [...pickleCases, ...archiveCases, ...headerCases];
