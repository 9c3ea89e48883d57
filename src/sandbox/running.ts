import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { readAnnouncement, readKey } from './home.ts'
import { isSame, prove } from './seal.ts'

/** A sandbox that runs in some process of this machine. */
export interface RunningSandbox {
  readonly origin: string
  readonly port: number
  readonly pid: number
}

/** Where a sandbox answers the challenge of somebody who shares its home. */
export const probePath = '/.well-known/auth-cli-sandbox'

const patience = 2000
const longestAnswer = 1024

/** Asks whoever listens at the port; undefined unless it answers like a sandbox, in time. */
function probe(port: number, challenge: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const path = `${probePath}?challenge=${challenge}`
    const headers = { host: `localhost:${port}` }
    const asking = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > longestAnswer) asking.destroy()
      })
      response.on('end', () => resolve(response.statusCode === 200 ? text : undefined))
      response.on('error', () => resolve(undefined))
    })
    const deadline = setTimeout(() => asking.destroy(), patience)
    asking.on('error', () => resolve(undefined))
    asking.on('close', () => {
      clearTimeout(deadline)
      resolve(undefined)
    })
    asking.end()
  })
}

/**
 * The sandbox that runs for this home, if one does. `sandbox.json` only says where to ask: whoever listens there has to
 * answer a fresh challenge under the key of this home, for its own port.
 */
export async function runningSandbox(home: string): Promise<RunningSandbox | undefined> {
  const announced = readAnnouncement(home)
  const key = announced && readKey(home)
  if (!announced || !key) return undefined
  const { port, pid } = announced
  const challenge = randomBytes(32).toString('hex')
  const text = await probe(port, challenge)
  if (text === undefined) return undefined
  try {
    const { answer } = JSON.parse(text)
    if (typeof answer !== 'string' || !isSame(answer, prove(key, port, pid, challenge))) return undefined
  } catch {
    return undefined
  }
  return { origin: `http://localhost:${port}`, port, pid }
}
