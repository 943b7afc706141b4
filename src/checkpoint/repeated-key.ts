/**
 * The first key that an object somewhere in this JSON text has twice, or undefined. `JSON.parse` keeps the last one silently,
 * other readers the first: a file that shows each of them something else. The text must already have passed `JSON.parse`.
 */
export function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // keys of each object around us, undefined for an array
  let keyNext = false;
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "{":
        open.push(new Set());
        keyNext = true;
        break;
      case "[":
        open.push(undefined);
        keyNext = false;
        break;
      case "}":
      case "]":
        open.pop();
        keyNext = false;
        break;
      case ",":
        keyNext = open.at(-1) !== undefined;
        break;
      case '"': {
        const begin = i;
        for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
        if (!keyNext) break;
        const key = JSON.parse(text.slice(begin, i + 1)) as string; // "\u0061" and "a" are one key
        const keys = open.at(-1)!;
        if (keys.has(key)) return key;
        keys.add(key);
        keyNext = false;
      }
    }
  }
  return undefined;
}
