import { UsageError } from '../../model/errors.ts'
import { type Given, openSession } from '../session.ts'

/** What each shell reads: a function that asks `auth-cli complete` with the words typed so far. */
const scripts = {
  bash: `_auth_cli() {
  local IFS=$'\\n'
  COMPREPLY=($(auth-cli complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _auth_cli auth-cli
`,
  zsh: `#compdef auth-cli
_auth_cli() {
  local -a found
  found=(\${(f)"$(auth-cli complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _auth_cli auth-cli
`,
  fish: `function __auth_cli_complete
  set -l words (commandline -opc)
  auth-cli complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c auth-cli -a '(__auth_cli_complete)'
`,
} as const

/** `auth-cli completion bash|zsh|fish`: the script on stdout, to be sourced. */
export async function run(given: Given): Promise<void> {
  const { print } = await openSession(given, { settings: false })
  const [shell = ''] = given.arguments
  if (!Object.hasOwn(scripts, shell)) {
    throw new UsageError('BAD_ARGUMENT', `There is no completion for "${shell}".`, {
      hint: `There is one for ${Object.keys(scripts).join(', ')}. For bash: source <(auth-cli completion bash)`,
    })
  }
  const script = scripts[shell as keyof typeof scripts]
  await print.value({ shell, script }, () => script)
}
