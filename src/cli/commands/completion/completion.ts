import { type CommandEntry, type CommandGroup, defineCommand, type LoadedCommand } from '../../command.js';
import { choice } from '../../options/values.js';
import { printLines } from '../../output/print-lines.js';
import { bashScript } from './bash.js';
import { completedCommands } from './completed-commands.js';
import { fishScript } from './fish.js';
import { zshScript } from './zsh.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
type Shell = keyof typeof SCRIPTS;

/** The command, which tells the shell of the commands in `table`. */
export function completionCommand(table: () => readonly (CommandEntry | CommandGroup)[]): LoadedCommand {
  return defineCommand({
    arguments: [
      {
        name: '<shell>',
        help: 'bash, zsh or fish',
        value: choice(Object.keys(SCRIPTS) as Shell[]),
      },
    ],
    options: {},
    example: `
It prints a script that makes the shell complete commands, options, their values, files and device URIs.
The script knows the commands of this version only, so print it again after an update.

Examples:
  thermolink completion bash > ~/.local/share/bash-completion/completions/thermolink
  thermolink completion zsh > ~/.zfunc/_thermolink
  thermolink completion fish > ~/.config/fish/completions/thermolink.fish

zsh reads ~/.zfunc if ~/.zshrc has the line fpath=(~/.zfunc $fpath) before compinit. For the open terminal only:
  source <(thermolink completion bash)`,
    async run(_options, _name, [shell]) {
      await printLines([SCRIPTS[shell as Shell](await completedCommands(table())).trimEnd()]);
    },
  });
}
