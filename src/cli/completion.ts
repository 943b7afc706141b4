/** Completion in shells: scripts that know every command, option and value by heart, so that pressing a key starts no tbar. */
import { allOf, type Outline, type OutlineOption } from "./outline.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** The script of a shell, to be loaded into it. */
export function completion(shell: Shell, tbar: Outline): string {
  return { bash, zsh, fish }[shell](tbar);
}

/** " vector diff" of "tbar vector diff": how the scripts know where they are. */
const placeOf = ({ name }: Outline) => name.slice("tbar".length);
const places = (tbar: Outline) => allOf(tbar).slice(1).map((one) => quoted(placeOf(one))); // biome-ignore format: one line
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const namesOf = ({ long, short }: OutlineOption) => [long, ...(short === undefined ? [] : [short])];
const ownName = ({ name }: Outline) => name.split(" ").at(-1) as string;
/** What may stand where no option does. */
const wordsOf = ({ commands, arguments: [first] }: Outline) => [...commands.map(ownName), ...(first?.known ?? [])];

function bash(tbar: Outline): string {
  const cases = allOf(tbar).map((one) => {
    const options = one.options.flatMap(namesOf).join(" ");
    const words = wordsOf(one).join(" ");
    const isBare = one.arguments.length === 0 && words === "";
    return `    ${quoted(placeOf(one))}) [[ "$cur" == -*${isBare ? ' || -z "$cur"' : ""} ]] && words='${options}' || words='${words}' ;;`;
  });
  const values = allOf(tbar).flatMap((one) => {
    const valued = one.options.filter(({ value }) => value !== undefined);
    const at = (option: OutlineOption) => quoted(`${placeOf(one)} ${option.long}`);
    const free = valued.filter(({ known }) => known.length === 0);
    return [
      ...valued.filter(({ known }) => known.length > 0).map((option) => `    ${at(option)}) words='${option.known.join(" ")}' ;;`),
      ...(free.length > 0 ? [`    ${free.map(at).join(" | ")}) return ;; # files`] : []),
    ]; // biome-ignore format: a list
  });
  return `# tbar: completion for bash. Load it with: source <(tbar completion bash)
_tbar() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" at='' words='' i
  if [[ "$cur" == '=' ]]; then cur=''; elif [[ "$prev" == '=' ]]; then prev="\${COMP_WORDS[COMP_CWORD - 2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${places(tbar).join(" | ")}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$at $prev" in
${values.join("\n")}
    *) case "$at" in
${cases.join("\n")}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _tbar tbar
`;
}

function zsh(tbar: Outline): string {
  const plain = (text: string) => text.replace(/[[\]:\\]/g, "\\$&");
  const option = ({ long, value, known, isList, help }: OutlineOption) => {
    const action = known.length > 0 ? `(${known.join(" ")})` : "_files";
    const taken = value === undefined ? "" : `:${plain(value)}:${action}`;
    return quoted(`${isList ? "*" : ""}${long}${value === undefined ? "" : "="}[${plain(help)}]${taken}`);
  };
  const cases = allOf(tbar).map((one) => {
    const described = one.commands.map((inner) => quoted(`${ownName(inner)}:${plain(inner.summary)}`));
    const commands =
      described.length === 0
        ? []
        : [`local -a commands=(${described.join(" ")})`, "_describe -t commands command commands"];
    const rest = one.arguments.map(({ name, known }) => quoted(`*:${plain(name)}:${known.length > 0 ? `(${known.join(" ")})` : "_files"}`)); // biome-ignore format: one line
    const last = ["_arguments -S", ...one.options.map(option), ...rest.slice(0, 1)].join(" ");
    return `    (${quoted(placeOf(one))})\n      ${[...commands, last].join("\n      ")} ;;`;
  });
  return `#compdef tbar
# tbar: completion for zsh. Load it with: source <(tbar completion zsh), or keep it as _tbar in a folder of $fpath
_tbar() {
  local at=''
  while (( CURRENT > 2 )); do
    case "$at $words[2]" in
      (${places(tbar).join("|")}) at="$at $words[2]"; shift words; (( CURRENT-- )) ;;
      (*) break ;;
    esac
  done
  case "$at" in
${cases.join("\n")}
  esac
}
if [[ "$funcstack[1]" == _tbar ]]; then _tbar "$@"; else compdef _tbar tbar; fi
`;
}

function fish(tbar: Outline): string {
  const text = (words: string) => `'${words.replace(/[\\']/g, "\\$&")}'`;
  const lines = allOf(tbar).flatMap((one) => {
    const here = `complete -c tbar -n ${text(`__tbar_at ${text(placeOf(one))}`)}`;
    const values = ({ value, known }: OutlineOption) =>
      value === undefined ? "" : known.length > 0 ? ` -x -a ${text(known.join(" "))}` : " -r -F";
    return [
      ...one.commands.map((inner) => `${here} -a ${ownName(inner)} -d ${text(inner.summary)}`),
      ...one.arguments.slice(0, 1).map(({ known }) => `${here} ${known.length > 0 ? `-a ${text(known.join(" "))}` : "-F"}`),
      ...one.options.map((option) => `${here} -l ${option.long.slice(2)}${option.short === undefined ? "" : ` -s ${option.short.slice(1)}`}${values(option)} -d ${text(option.help)}`),
    ]; // biome-ignore format: a list
  });
  return `# tbar: completion for fish. Load it with: tbar completion fish | source
function __tbar_at
    set -l at ''
    for word in (commandline -opc)[2..]
        contains -- "$at $word" ${places(tbar).join(" ")}; and set at "$at $word"
    end
    test "$at" = "$argv[1]"
end
complete -c tbar -f
${lines.join("\n")}
`;
}
