import {
  allCommands,
  type CompletedCommand,
  type CompletedValue,
  DEVICE_WORDS,
  FILE_URIS,
  SERIAL_PATTERNS,
} from './completed-commands.js';

/**
 * The script for bash. It needs no package of completions. Names of files are quoted by bash from version 4
 * on. Bash cuts words at `:` and `=`. The script therefore joins the parts. Its answers do not repeat the
 * part that is typed already.
 */
export function bashScript(program: CompletedCommand): string {
  const commands = [...allCommands(program)];
  return `# bash completion for thermolink, written by \`thermolink completion bash\`

# Each function below answers in REPLY. $1 is a command with a blank before each of its words.
_thermolink_commands() {
  case $1 in
${cases(commands.filter((each) => each.commands.length > 0).map((each) => [keyOf(each), names(each)]))}
    *) REPLY= ;;
  esac
}

_thermolink_options() {
  case $1 in
${cases(commands.map((each) => [keyOf(each), flags(each)]))}
    *) REPLY= ;;
  esac
}

# The value of option $2: empty for a switch.
_thermolink_value() {
  case "$1 $2" in
${cases(optionCases(commands))}
    *) REPLY= ;;
  esac
}

# The value of argument $2, counted from 0.
_thermolink_argument() {
  case "$1 $2" in
${cases(
  commands.flatMap((each) =>
    each.arguments.map((value, index): [string, string] => [`${keyOf(each)} ${index}`, valueText(value)]),
  ),
)}
    *) REPLY= ;;
  esac
}

_thermolink() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} rest word cur prev place='' REPLY prefix=''
  local -a given
  local -i i index=0
  COMPREPLY=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    rest=\${line#"\${line%%[![:space:]]*}"}
    word=\${COMP_WORDS[i]}
    if ((i == COMP_CWORD)); then word=$rest; fi
    if ((i > 0)) && [[ $rest == "$line" ]]; then given[\${#given[@]}-1]+=$word
    else given+=("$word"); fi
    line=\${rest#"$word"}
  done
  local -i last=\${#given[@]}-1
  cur=\${given[last]}
  for ((i = 1; i < last; i++)); do
    _thermolink_commands "$place"
    if [[ " $REPLY " != *" \${given[i]} "* ]]; then break; fi
    place+=" \${given[i]}"
  done
  prev=
  for (( ; i < last; i++)); do
    if [[ -n $prev ]]; then prev=
    elif [[ \${given[i]} == -?* ]]; then
      _thermolink_value "$place" "\${given[i]}"
      if [[ -n $REPLY && $REPLY != optional\\ * ]]; then prev=\${given[i]}; fi
      if [[ $REPLY == optional\\ * && i -eq last-1 && $cur != -* ]]; then prev=\${given[i]}; fi
    else index+=1; fi
  done
  if [[ -z $prev && $cur == --*=* ]]; then
    prev=\${cur%%=*}
    prefix=$prev=
    cur=\${cur#*=}
  fi
  if [[ -n $prev ]]; then _thermolink_value "$place" "$prev"
  elif [[ $cur == -* ]]; then
    _thermolink_options "$place"
    REPLY="words $REPLY"
  else
    _thermolink_commands "$place"
    if [[ -n $REPLY ]]; then REPLY="words $REPLY"
    else _thermolink_argument "$place" "$index"; fi
  fi
  REPLY=\${REPLY#optional }
  case $REPLY in
    words\\ *) COMPREPLY=($(compgen -W "\${REPLY#words }" -- "$cur")) ;;
    device) _thermolink_device ;;
    file | folder)
      cur=\${cur//\\\\/}
      cur=\${cur#[\\"\\']}
      IFS=$'\\n'
      if [[ $REPLY == file ]]; then COMPREPLY=($(compgen -f -- "$cur"))
      else COMPREPLY=($(compgen -d -- "$cur")); fi
      compopt -o filenames 2> /dev/null
      ;;
  esac
  # Bash replaces only what follows the last character of COMP_WORDBREAKS.
  local breaks=\${COMP_WORDBREAKS//[^:=]/}
  if [[ -z $breaks ]]; then COMPREPLY=("\${COMPREPLY[@]/#/$prefix}")
  elif [[ $cur == *[$breaks]* ]]; then
    prefix=\${cur%"\${cur##*[$breaks]}"}
    COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
  elif [[ $breaks != *=* ]]; then COMPREPLY=("\${COMPREPLY[@]/#/$prefix}"); fi
}

# The URIs of emulated boards and of present serial ports, and the beginnings of other URIs.
_thermolink_device() {
  local port
  case $cur in
    ${FILE_URIS.map((start) => `${start}*`).join(' | ')})
      IFS=$'\\n'
      port=\${cur%%[:=]*}
      if [[ $cur == *=* ]]; then port=\${cur%%=*}=; else port+=:; fi
      COMPREPLY=($(compgen -P "$port" -f -- "\${cur#"$port"}"))
      compopt -o filenames 2> /dev/null
      return
      ;;
  esac
  local -a uris=(${DEVICE_WORDS.join(' ')})
  for port in ${SERIAL_PATTERNS.join(' ')}; do
    if [[ -e $port ]]; then uris+=("serial:$port"); fi
  done
  COMPREPLY=($(compgen -W "\${uris[*]}" -- "$cur"))
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *[:/=] ]]; then compopt -o nospace 2> /dev/null; fi
}

complete -F _thermolink thermolink
`;
}

/** For example ` train mnist`; empty for the program itself. */
function keyOf({ words }: CompletedCommand): string {
  return words.map((word) => ` ${word}`).join('');
}

function names({ commands }: CompletedCommand): string {
  return commands.map(({ words }) => words.at(-1)).join(' ');
}

function flags({ options }: CompletedCommand): string {
  return options.flatMap(({ long, short = [] }) => [long, short].flat()).join(' ');
}

function valueText(value: CompletedValue): string {
  return value.kind === 'words' ? `words ${value.words.join(' ')}` : value.kind;
}

/** The values that each option of each command takes. */
function optionCases(commands: readonly CompletedCommand[]): [string, string][] {
  return commands.flatMap((command) =>
    command.options.flatMap(({ long, short = [], value, isValueOptional }) =>
      value === undefined
        ? []
        : [long, short]
            .flat()
            .map((flag): [string, string] => [
              `${keyOf(command)} ${flag}`,
              `${isValueOptional ? 'optional ' : ''}${valueText(value)}`,
            ]),
    ),
  );
}

/** Lines of a `case`. Patterns with the same answer share one line. */
function cases(answers: readonly (readonly [key: string, answer: string])[]): string {
  const keys = new Map<string, string[]>();
  for (const [key, answer] of answers) keys.set(answer, [...(keys.get(answer) ?? []), key]);
  return [...keys]
    .map(([answer, same]) => `    ${same.map((key) => `'${key}'`).join(' | ')}) REPLY='${answer}' ;;`)
    .join('\n');
}
