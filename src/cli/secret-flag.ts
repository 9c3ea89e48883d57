import { readSecret, type Session } from './session.ts'

/** A secret given by a flag, read from wherever it says; one that stood in the command line is worth a word. */
export async function secretFlag(
  flag: string,
  value: unknown,
  session: Session,
  seen: Set<string>,
): Promise<string | undefined> {
  if (typeof value !== 'string') return undefined
  const read = await readSecret(flag, value, session, seen)
  if (read === value && value !== '') tellHistory(flag, session)
  if (read !== '') session.world.secrets.learn(read)
  return read
}

function tellHistory(flag: string, { quiet }: Pick<Session, 'quiet'>): void {
  if (quiet) return
  process.stderr.write(
    `! ${flag} was given in the command line: it is in your shell's history now. Next time: ${flag} - (stdin), env:NAME or file:PATH.\n`,
  )
}
