/** Prompts that the zero-shot head of a source's classes is made of, counted before they are encoded. */
import { unknownName } from "../../tensor/error.ts";
import { neededClasses, type Source } from "./source.ts";

/** Their number; 0 where there are no classes. */
export const promptsOf = ({ classNames = [], templates }: Source) => classNames.length * templates.length;

/** The same; throws as the job would when there are no classes, or the target is none of them. */
export function checkedPrompts(source: Source, target: string | undefined): number {
  const classNames = neededClasses(source);
  if (target !== undefined && !classNames.includes(target)) throw unknownName("target class", target, classNames);
  return promptsOf(source);
}
