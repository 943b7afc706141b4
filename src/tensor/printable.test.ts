import { expect, test } from "vitest";
import { printable } from "./printable.ts";

test("ordinary text of any script stays as it is", () => {
  for (const text of ["", "a photo of a {}.", "Zürich, 東京, مرحبا, 🐱", "tab\\n"]) expect(printable(text)).toBe(text);
});

test("whatever moves the cursor, colours, hides or turns the direction is spelled out", () => {
  expect(printable("a\nb\r\tc")).toBe("a\\u{a}b\\u{d}\\u{9}c");
  expect(printable("\x1b[31mred\x9b5m\x7f\0")).toBe("\\u{1b}[31mred\\u{9b}5m\\u{7f}\\u{0}");
  expect(printable("\u202egnp.exe\u2066\u200b\ufeff")).toBe("\\u{202e}gnp.exe\\u{2066}\\u{200b}\\u{feff}");
  expect(printable("\u2028\u2029")).toBe("\\u{2028}\\u{2029}");
  expect(printable("a\ud800b")).toBe("a\\u{d800}b");
  expect(printable("\u{e0041}")).toBe("\\u{e0041}");
});

test("no more than the limit is looked at, and escapes count as they are shown", () => {
  expect(printable("x".repeat(10), 10)).toBe("x".repeat(10));
  expect(printable("x".repeat(11), 10)).toBe(`${"x".repeat(10)}... (11 characters)`);
  expect(printable("\x1b".repeat(9), 13)).toBe("\\u{1b}\\u{1b}... (9 characters)");
  expect(printable("🐱🐱", 3)).toBe("🐱... (4 characters)");
  const long = "y".repeat(2 ** 26);
  expect(printable(long).length).toBeLessThan(240);
});
