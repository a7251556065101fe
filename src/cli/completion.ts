// `prom-migrator completion bash|zsh|fish`: scripts that complete commands, flags and values, made from the commands' own tables (flags.ts).

import type { SHELLS } from './commands.ts';
import type { Command, Flag } from './flags.ts';

type Shell = (typeof SHELLS)[number];

/** What the shell proposes for a value. */
function kindOf({ placeholder, choices }: Flag): 'none' | 'choices' | 'file' | 'directory' | 'text' {
  if (placeholder === undefined) return 'none';
  if (choices !== undefined) return 'choices';
  if (placeholder === 'FILE') return 'file';
  return placeholder === 'DIR' ? 'directory' : 'text';
}

const spellings = ({ name, short }: Flag) => (short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`]);

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const make = { bash: bashScript, zsh: zshScript, fish: fishScript };
  return make[shell](commands);
}

/** Needs no bash-completion, whose functions are not everywhere. */
function bashScript(commands: readonly Command[]): string {
  const cases = commands.flatMap(({ name, flags }) =>
    flags
      .filter((flag) => kindOf(flag) !== 'none')
      .map((flag) => {
        const patterns = spellings(flag).map((spelling) => `${name}:${spelling}`);
        const kind = kindOf(flag);
        const words = kind === 'choices' ? `words="${flag.choices?.join(' ')}"` : `action=${kind}`;
        return `    ${patterns.join('|')}) ${words} ;;`;
      }),
  );
  const flagWords = commands.map(({ name, flags, argument }) => {
    const words = [...flags.map((flag) => `--${flag.name}`), ...(argument?.choices ?? [])];
    return `    ${name}) words="${words.join(' ')}" ;;`;
  });
  return `# bash completion of prom-migrator: source <(prom-migrator completion bash)
_prom_migrator() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  local words="" action=""
  # bash splits --flag=value at the equals sign.
  if [[ "$current" == "=" ]]; then current=""; elif [[ "$previous" == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  COMPREPLY=()
  if [[ "$COMP_CWORD" == 1 ]]; then
    COMPREPLY=($(compgen -W "${[...commands.map(({ name }) => name), 'help'].join(' ')} --help --version" -- "$current"))
    return
  fi
  case "$command:$previous" in
${cases.join('\n')}
  esac
  case "$action" in
    file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    directory) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current")); return ;;
    text) return ;;
  esac
  [[ -z "$words" ]] && case "$command" in
${flagWords.join('\n')}
    help) words="${commands.map(({ name }) => name).join(' ')}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _prom_migrator prom-migrator
`;
}

/** For a text in single quotes. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function zshFlag(flag: Flag): string {
  const values = {
    none: '',
    choices: `:${flag.placeholder}:(${flag.choices?.join(' ')})`,
    file: `:${flag.placeholder}:_files`,
    directory: `:${flag.placeholder}:_files -/`,
    text: `:${flag.placeholder}: `,
  };
  const help = flag.help.replaceAll(/[[\]:\\]/g, '\\$&');
  const rest = `[${help}]${values[kindOf(flag)]}`;
  const [long = '', short] = spellings(flag);
  // _arguments takes a repeated flag with * before it.
  const star = flag.multiple === true ? '*' : '';
  const all = short === undefined ? [`${star}${long}`] : [`${star}${long}`, `${star}${short}`];
  return all.map((spelling) => quoted(`${spelling}${rest}`)).join(' ');
}

function zshScript(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => quoted(`${name}:${summary}`));
  const cases = commands.map(({ name, flags, argument }) => {
    const values = argument === undefined ? [] : [quoted(`:${argument.name}:(${argument.choices.join(' ')})`)];
    return `    ${name}) _arguments ${[...flags.map(zshFlag), ...values].join(' \\\n      ')} ;;`;
  });
  return `#compdef prom-migrator
# zsh completion of prom-migrator: prom-migrator completion zsh > a directory of $fpath/_prom-migrator
_prom_migrator() {
  local -a commands=(${described.join(' ')} ${quoted('help:print the help of a command')})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
    help) _describe command commands ;;
  esac
}
if [[ $funcstack[1] == _prom-migrator ]]; then _prom_migrator "$@"; else compdef _prom_migrator prom-migrator; fi
`;
}

function fishFlag(command: string, flag: Flag): string {
  const short = flag.short === undefined ? '' : ` -s ${flag.short}`;
  const values = {
    none: '',
    choices: ` -x -a ${quoted(flag.choices?.join(' ') ?? '')}`,
    file: ' -r -F',
    directory: " -x -a '(__fish_complete_directories)'",
    text: ' -x',
  };
  const help = quoted(flag.help).replaceAll("'\\''", "\\'");
  return `complete -c prom-migrator -n '__fish_seen_subcommand_from ${command}' -l ${flag.name}${short}${values[kindOf(flag)]} -d ${help}`;
}

function fishScript(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const lines = [
    '# fish completion of prom-migrator: prom-migrator completion fish > ~/.config/fish/completions/prom-migrator.fish',
    'complete -c prom-migrator -f',
    ...commands.map(
      ({ name, summary }) =>
        `complete -c prom-migrator -n '__fish_use_subcommand' -a ${name} -d ${quoted(summary).replaceAll("'\\''", "\\'")}`,
    ),
    "complete -c prom-migrator -n '__fish_use_subcommand' -a help -d 'print the help of a command'",
    `complete -c prom-migrator -n '__fish_seen_subcommand_from help' -a '${names}'`,
    ...commands.flatMap(({ name, flags, argument }) => [
      ...flags.map((flag) => fishFlag(name, flag)),
      ...(argument === undefined
        ? []
        : [`complete -c prom-migrator -n '__fish_seen_subcommand_from ${name}' -a '${argument.choices.join(' ')}'`]),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}
