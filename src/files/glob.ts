/**
 * Does a name match a pattern, in which `*` stands for any characters and `?` for one? In time |name| |pattern| at most: a regular
 * expression of many stars would take longer than anybody waits on a long name.
 */
export function matchesGlob(name: string, pattern: string): boolean {
  let [at, of] = [0, 0];
  let [star, resume] = [-1, 0];
  while (at < name.length) {
    if (pattern[of] === "*") {
      star = of++;
      resume = at;
    } else if (pattern[of] === "?" || pattern[of] === name[at]) {
      at++;
      of++;
    } else if (star >= 0) {
      of = star + 1; // the last star takes one more
      at = ++resume;
    } else return false;
  }
  while (pattern[of] === "*") of++;
  return of === pattern.length;
}
