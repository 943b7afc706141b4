/** tbar completion: what a shell needs to know to finish our words. */
import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { command } from "../command.ts";
import { completion, shells } from "../completion.ts";
import type { Perform } from "../outcome.ts";
import { outlineOf } from "../outline.ts";

export const completionCommand = (perform: Perform) =>
  command("completion", {
    summary: "commands, options and their values, for a shell to complete",
    about:
      "Prints a script that a shell loads to complete commands, options, known values and paths when Tab is pressed.",
    examples: [
      "tbar completion bash",
      "echo 'source <(tbar completion bash)' >> ~/.bashrc",
      "echo 'source <(tbar completion zsh)' >> ~/.zshrc",
      "tbar completion fish > ~/.config/fish/completions/tbar.fish",
    ],
  })
    .addArgument(new Argument("<shell>", `which shell: ${shells.join(", ")}`).choices(shells))
    .action((shell, _, self) =>
      perform({ quiet: true }, async () => {
        const text = completion(shell, outlineOf(self.parent as CommandUnknownOpts));
        return { json: {}, text };
      }),
    );
