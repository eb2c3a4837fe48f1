import {
  allCommands,
  type CompletedCommand,
  type CompletedOption,
  type CompletedValue,
  DEVICE_WORDS,
  FILE_URIS,
  SERIAL_PATTERNS,
} from './completed-commands.js';

/** The script for zsh. It finds the command in the line and hands its options to `_arguments`. */
export function zshScript(program: CompletedCommand): string {
  const commands = [...allCommands(program)];
  return `#compdef thermolink
# zsh completion for thermolink, written by \`thermolink completion zsh\`

# The URIs of emulated boards and of present serial ports, and the beginnings of other URIs.
_thermolink_device() {
  if ${FILE_URIS.map((start) => `compset -P '${start}'`).join(' || ')}; then
    _files
    return
  fi
  local -a ports=(${SERIAL_PATTERNS.map((pattern) => `${pattern}(N)`).join(' ')})
  compadd "$@" -- ${DEVICE_WORDS.filter(isWhole).map(quoted).join(' ')} serial:\${^ports}
  compadd "$@" -S '' -- ${DEVICE_WORDS.filter((word) => !isWhole(word))
    .map(quoted)
    .join(' ')}
}

_thermolink() {
  local place='' next
  local -a commands
  integer i=2
  while true; do
    case $place in
${commands
  .filter((each) => each.commands.length > 0)
  .map((each) => `      '${keyOf(each)}') commands=(\n${described(each)}\n      ) ;;`)
  .join('\n')}
      *) commands=() ;;
    esac
    next=$words[i]
    (( i < CURRENT )) || break
    [[ -n $next && -n \${commands[(r)$next:*]} ]] || break
    place+=" $next"
    (( i++ ))
  done
  if (( $#commands && i == CURRENT )) && [[ $PREFIX != -* ]]; then
    _describe -t commands command commands
    return
  fi
  words=(thermolink "\${(@)words[i,-1]}")
  (( CURRENT -= i - 2 ))
  case $place in
${commands.map((each) => `    '${keyOf(each)}') _arguments -S${specs(each)} ;;`).join('\n')}
  esac
}

if [[ $funcstack[1] == _thermolink ]]; then _thermolink "$@"
else compdef _thermolink thermolink; fi
`;
}

function isWhole(uri: string): boolean {
  return !/[:/=]$/.test(uri);
}

function keyOf({ words }: CompletedCommand): string {
  return words.map((word) => ` ${word}`).join('');
}

function described({ commands }: CompletedCommand): string {
  return commands.map(({ words, summary }) => `        ${quoted(`${words.at(-1)}:${summary}`)}`).join('\n');
}

function specs(command: CompletedCommand): string {
  return [...command.options.flatMap(optionSpecs), ...command.arguments.map((value) => `:${action(value)}`)]
    .map((spec) => ` \\\n      ${quoted(spec)}`)
    .join('');
}

/** `--long` and `-s` exclude each other and themselves, unless the option is repeated. */
function optionSpecs({ long, short, help, value, ...option }: CompletedOption): string[] {
  const flags = short === undefined ? [long] : [short, long];
  const others = option.isRepeated ? '*' : flags.length > 1 ? `(${flags.join(' ')})` : '';
  return flags.map((flag) => `${others}${flag}${valueSpec(flag, help, value, option)}`);
}

function valueSpec(
  flag: string,
  help: string,
  value: CompletedValue | undefined,
  { isValueOptional }: Pick<CompletedOption, 'isValueOptional'>,
): string {
  const text = `[${help.replace(/[\\[\]]/g, '\\$&')}]`;
  if (value === undefined) return text;
  return `${flag.startsWith('--') ? '=' : ''}${text}${isValueOptional ? '::' : ':'}${action(value)}`;
}

/** The name of a value, and the way to complete it. */
function action(value: CompletedValue): string {
  switch (value.kind) {
    case 'words':
      return `one of:(${value.words.join(' ')})`;
    case 'file':
      return 'file:_files';
    case 'folder':
      return 'folder:_files -/';
    case 'device':
      return 'device:_thermolink_device';
    case 'text':
      return 'value: ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
