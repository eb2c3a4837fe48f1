import {
  allCommands,
  type CompletedCommand,
  type CompletedOption,
  type CompletedValue,
  DEVICE_WORDS,
  FILE_URIS,
  SERIAL_PATTERNS,
} from './completed-commands.js';

/** The script for fish: a line of `complete` for each command, option and argument. */
export function fishScript(program: CompletedCommand): string {
  return `# fish completion for thermolink, written by \`thermolink completion fish\`

# Whether the line is at the command that the arguments name, or below it.
function __thermolink_in
    set -l given (string match -v -- '-*' (commandline -opc))[2..]
    test (count $given) -ge (count $argv); or return 1
    test (count $argv) -eq 0; or test "$given[1..$(count $argv)]" = "$argv"
end

# Whether the line is at the command that the arguments name, with no word after it.
function __thermolink_at
    set -l given (string match -v -- '-*' (commandline -opc))[2..]
    test "$given" = "$argv"
end

# The URIs of emulated boards and of present serial ports, and the beginnings of other URIs.
function __thermolink_devices
    if set -l uri (string match -r '^(?:--[a-z]+=)?(${FILE_URIS.join('|')})(.*)$' -- (commandline -ct))
        string join \\n $uri[2](__fish_complete_path $uri[3])
        return
    end
    string join \\n ${DEVICE_WORDS.join(' ')}
    for pattern in ${SERIAL_PATTERNS.join(' ')}
        string join \\n serial:$pattern
    end
end

complete -c thermolink -f
${[...allCommands(program)].flatMap(linesOf).join('\n')}
`;
}

function linesOf(command: CompletedCommand): string[] {
  const { words, commands, options } = command;
  const at = ['__thermolink_at', ...words].join(' ');
  const within = words.length === 0 ? at : ['__thermolink_in', ...words].join(' ');
  return [
    ...commands.map(
      (each) => `complete -c thermolink -n '${at}' -a ${each.words.at(-1)} -d ${quoted(each.summary)}`,
    ),
    ...options.map((option) => `complete -c thermolink -n '${within}' ${optionText(option)}`),
    // Fish does not count arguments, so the values of the first one are offered for all.
    ...command.arguments
      .slice(0, 1)
      .map((value) => `complete -c thermolink -n '${within}' ${valueText(value, false)}`),
  ];
}

function optionText({ long, short, help, value, isValueOptional }: CompletedOption): string {
  return [
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    `-l ${long.slice(2)}`,
    ...(value === undefined || isValueOptional ? [] : [valueText(value, true)]),
    `-d ${quoted(help)}`,
  ].join(' ');
}

function valueText(value: CompletedValue, isOption: boolean): string {
  const exclusive = isOption ? '-x ' : '-f ';
  switch (value.kind) {
    case 'words':
      return `${exclusive}-a ${quoted(value.words.join(' '))}`;
    case 'file':
      return isOption ? '-r -F' : '-F';
    case 'folder':
      return `${exclusive}-a '(__fish_complete_directories)'`;
    case 'device':
      return `${exclusive}-a '(__thermolink_devices)'`;
    case 'text':
      return exclusive.trim();
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
