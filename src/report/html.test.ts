import { expect, test } from "vitest";
import { html, jsonScript } from "./html.ts";

test("what goes into a template is escaped, unless it came out of one", () => {
  const name = `<b class="x">'&`;
  expect(html`<p title="${name}">${html`<i>${name}</i>`}</p>`.text).toBe(
    `<p title="&#60;b class=&#34;x&#34;&#62;&#39;&#38;"><i>&#60;b class=&#34;x&#34;&#62;&#39;&#38;</i></p>`,
  );
});

test("lists are joined; false and undefined leave nothing, 0 stays", () => {
  expect(html`${["<", html`<br>`, false, undefined, 0]}`.text).toBe("&#60;<br>0");
});

test("an object from a file cannot pass for HTML", () => {
  const forged = JSON.parse('{"text":"<script>"}');
  expect(html`${forged}`.text).toBe("[object Object]");
});

test("control characters and turned writing direction become visible, tabs and newlines stay", () => {
  expect(html`${"a\0b\u202Etxt.exe\u2066\u0085\t\r\n"}`.text).toBe("a\uFFFDb\uFFFDtxt.exe\uFFFD\uFFFD\t\r\n");
});

test("no text closes a JSON script, and the JSON reads back as it was", () => {
  const value = { "</script>": ["<!--<script>", "\u202E", 1.5], interval: [0.25, 1], text: "[ 1, 2 ]" };
  const { text } = jsonScript("data", value);
  expect(text.match(/<\/?script|<!--|\u202E/g)).toEqual(["<script", "</script"]);
  expect(text).toContain('"interval": [0.25, 1]');
  expect(JSON.parse(text.replace(/^<script[^>]*>|<\/script>$/g, ""))).toEqual(value);
});
