import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { approve, openSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/index.ts'

/** The verifier and the challenge of RFC 7636 Appendix B. */
export const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

export type Fields = Readonly<Record<string, string>>

/** An answer read whole. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into whatever the sandbox answers.
  readonly json: any
}

export function temporaryHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'sandbox-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return home
}

const run = promisify(execFile)

/**
 * Runs a script in so many processes at once, with the exports of one file of the sandbox in reach as `subject`. What
 * each wrote to stdout.
 */
export async function runTogether(file: string, processes: number, script: string): Promise<readonly string[]> {
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
  const source = fileURLToPath(new URL(`../../src/sandbox/${file}.ts`, import.meta.url))
  const built = temporaryHome()
  const options = ['--ignoreConfig', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--skipLibCheck']
  await run(process.execPath, [tsc, ...options, '--outDir', built, source])
  writeFileSync(join(built, 'package.json'), '{"type":"module"}')
  // Nobody begins before all are there: a race that one wins by starting earlier shows nothing.
  const gate = temporaryHome()
  const whole = `import * as subject from ${JSON.stringify(join(built, `${file}.js`))}
    import { readdirSync, writeFileSync } from 'node:fs'
    writeFileSync(${JSON.stringify(gate)} + '/' + process.pid, '')
    while (readdirSync(${JSON.stringify(gate)}).length < ${processes}) {}
    ${script}`
  const runs = Array.from({ length: processes }, () => run(process.execPath, ['--input-type=module', '-e', whole]))
  return (await Promise.all(runs)).map(({ stdout }) => stdout)
}

/** A sandbox that ends with the test. */
export async function openForTest(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await openSandbox(options)
  onTestFinished(() => sandbox.close())
  return sandbox
}

/** The client's end of the way back: answers every visit and keeps where it went and how. */
export async function openCallback(): Promise<{
  readonly redirectUri: string
  readonly visits: URL[]
  readonly methods: string[]
}> {
  const visits: URL[] = []
  const methods: string[] = []
  const server = createServer((request, response) => {
    visits.push(new URL(request.url ?? '', 'http://127.0.0.1'))
    methods.push(request.method ?? '')
    response.end('<h1>Thank you</h1>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { redirectUri: `http://127.0.0.1:${port}/callback`, visits, methods }
}

async function read(answer: Response): Promise<Reply> {
  const text = await answer.text()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  return { status: answer.status, headers: answer.headers, text, json }
}

export function authorizeUrl(sandbox: Sandbox, fields: Fields = {}): string {
  const asked = {
    response_type: 'code',
    client_id: 'sandbox-client',
    redirect_uri: 'http://127.0.0.1:1/callback',
    state: 'a state / with + signs & ü',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...fields,
  }
  return `${sandbox.origin}/authorize?${new URLSearchParams(asked)}`
}

export const visit = async (url: string, init: RequestInit = {}): Promise<Reply> =>
  read(await fetch(url, { redirect: 'manual', ...init }))

export const post = (url: string, fields: Fields, headers: Fields = {}): Promise<Reply> =>
  visit(url, { method: 'POST', body: new URLSearchParams(fields), headers })

export const secretClient = { client_id: 'sandbox-client', client_secret: 'sandbox-secret' } as const

export const exchange = (sandbox: Sandbox, fields: Fields): Promise<Reply> =>
  post(`${sandbox.origin}/token`, {
    grant_type: 'authorization_code',
    code_verifier: verifier,
    ...secretClient,
    ...fields,
  })

export const refresh = (sandbox: Sandbox, token: string, fields: Fields = {}): Promise<Reply> =>
  post(`${sandbox.origin}/token`, {
    grant_type: 'refresh_token',
    refresh_token: token,
    ...secretClient,
    ...fields,
  })

export const call = (sandbox: Sandbox, token: string, path = '/api/me'): Promise<Reply> =>
  visit(sandbox.origin + path, { headers: { authorization: `Bearer ${token}` } })

/** Goes through the consent page; the parameters that the callback received and its redirect URI. */
export async function authorize(
  sandbox: Sandbox,
  fields: Fields = {},
): Promise<{ readonly params: URLSearchParams; readonly redirectUri: string }> {
  const { redirectUri, visits } = await openCallback()
  await approve(authorizeUrl(sandbox, { redirect_uri: redirectUri, ...fields }))
  const params = visits.at(-1)?.searchParams
  if (!params) throw new Error('nobody came back')
  return { params, redirectUri }
}

/** The whole way to an answer of the token endpoint. */
export async function obtain(sandbox: Sandbox, fields: Fields = {}): Promise<Reply> {
  const { params, redirectUri } = await authorize(sandbox, fields)
  return exchange(sandbox, { code: params.get('code') ?? '', redirect_uri: redirectUri })
}
