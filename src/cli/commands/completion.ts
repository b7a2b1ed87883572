// completion: scripts that complete commands and the names of settings, made from the declarations.
import { registry } from '../../observables/registry.js';
import { usage } from '../exit.js';

const withKeys = ['get', 'set', 'watch', 'describe', 'wait'] as const;

export function completion(shell: string, commands: readonly string[]): string {
  const keys = Object.keys(registry).join(' ');
  const words = commands.join(' ');
  switch (shell) {
    case 'bash':
      return `_obscura() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${words}" -- "$word")); return; fi
  case "\${COMP_WORDS[1]}" in
    ${withKeys.join('|')}) COMPREPLY=($(compgen -W "${keys}" -- "$word"));;
  esac
}
complete -F _obscura obscura
`;
    case 'zsh':
      return `#compdef obscura
_obscura() {
  if (( CURRENT == 2 )); then compadd ${words}; return; fi
  case "$words[2]" in
    ${withKeys.join('|')}) compadd ${keys};;
  esac
}
compdef _obscura obscura
`;
    case 'fish':
      return `complete -c obscura -f
complete -c obscura -n __fish_use_subcommand -a "${words}"
complete -c obscura -n "__fish_seen_subcommand_from ${withKeys.join(' ')}" -a "${keys}"
`;
    default:
      throw usage('Completion exists for bash, zsh and fish');
  }
}
