// npm run bench: how long the command takes, as ratios to `node -e 0` measured in the same run.
//
// Every round runs each contender once, so that whatever else the machine does meets all of them alike; what counts is
// the median over the rounds. Ends with 1 when a median is over its limit. `--rounds <n>` takes more or fewer.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

const command = path.join(import.meta.dirname, '..', 'bin', 'auth-cli.js')
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' } } })
const rounds = Math.max(1, Number.parseInt(values.rounds, 10) || 0)

if (!existsSync(path.join(import.meta.dirname, '..', 'dist', 'bin', 'main.cjs'))) {
  console.error('There is no dist/ to measure. Run: npm ci')
  process.exit(1)
}

const folder = mkdtempSync(path.join(tmpdir(), 'auth-cli-bench-'))
const silent = ['ignore', 'ignore', 'pipe']
const asked = path.join(folder, 'asked')
const follower = spawnSync('curl', ['--version']).status === 0 ? 'curl -sL -o /dev/null' : nodeFollower()
const provider = await openProvider()
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const one = homeWith('one')
const many = homeWith('many')
writeFileSync(path.join(folder, 'auth-cli.yaml'), template(provider.port))
await connectOnce(one)
fill(many, one, 1_000)
const logged = homeWith('logged')
fillLogs(logged, 1_000_000)
const thousand = homeWith('thousand')
const catalogue = path.join(import.meta.dirname, '..', 'node_modules', '@nangohq', 'providers')
const hasCatalogue = existsSync(catalogue)
if (hasCatalogue) await timeToEnd([command, 'providers', 'add', catalogue], thousand)
const rehearsing = ['connect', 'hubspot', '--client-id', 'bench-client', '--client-secret', '', '--dry-run']

const connecting = ['connect', 'bench', '--client-id', 'bench-client', '--port', '0']
const contenders = [
  { name: 'node -e 0', measure: () => timeToEnd(['-e', '0']) },
  { name: 'auth-cli --version', limit: 1.3, measure: () => timeToEnd([command, '--version']) },
  { name: 'auth-cli --help', limit: 1.4, measure: () => timeToEnd([command, '--help']) },
  { name: 'auth-cli token, still valid', limit: 1.4, measure: () => timeToEnd([command, 'token', 'bench'], one) },
  {
    name: 'auth-cli connections list, 1,000 of them',
    limit: 1.7,
    measure: () => timeToEnd([command, 'connections', 'list'], many),
  },
  {
    name: 'auth-cli logs --state failed, of 1,000,000 events',
    limit: 12,
    measure: () => timeToEnd([command, 'logs', '--state', 'failed', '-n', '1000000', '--json'], logged),
  },
  ...(hasCatalogue
    ? [
        {
          // Both catalogues: over a thousand that were added, and those that come along.
          name: 'auth-cli providers list, 1,400 of them',
          limit: 2,
          measure: () => timeToEnd([command, 'providers', 'list'], thousand),
        },
        {
          name: 'auth-cli connect --dry-run, of one in 1,000',
          measure: () => timeToEnd([command, ...rehearsing], thousand),
        },
      ]
    : []),
  {
    name: 'auth-cli connect, until the browser is asked to open',
    limit: 2.5,
    measure: () => timeToBrowser([command, ...connecting, '--as', 'asked'], one),
  },
  {
    name: `auth-cli connect, the whole flow (${follower.split(' ')[0]} as the browser)`,
    limit: 5,
    measure: () => timeToEnd([command, ...connecting], one, { BROWSER: follower }),
  },
].map((contender) => ({ ...contender, times: [] }))

for (const { measure } of contenders) await measure()
for (let round = 0; round < rounds; round++) {
  for (const { measure, times } of contenders) times.push(await measure())
}
provider.close()

const [base] = contenders
console.log(`Node ${process.versions.node}, ${rounds} rounds, medians; a ratio is to node -e 0 of the same run.\n`)
console.log('       ms   ratio   limit')
let isOver = false
for (const { name, limit, times } of contenders) {
  const ratio = median(times) / median(base.times)
  const over = limit !== undefined && ratio > limit
  isOver ||= over
  const columns = [median(times).toFixed(1), ratio.toFixed(2), limit?.toFixed(1) ?? '']
  console.log(`${columns.map((text) => text.padStart(8)).join('')}  ${over ? '✗' : ' '} ${name}`)
}
if (isOver) console.log('\nOver the limit where there is a ✗.')
process.exitCode = isOver ? 1 : 0

/** Milliseconds from the start of the process to its end, which must be a good one. */
async function timeToEnd(args, home = one, extra = {}) {
  const started = performance.now()
  const child = spawn(process.execPath, args, { cwd: folder, env: environment(home, extra), stdio: silent })
  const said = read(child.stderr)
  const status = await new Promise((resolve) => child.once('exit', resolve))
  const took = performance.now() - started
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}:\n${await said}`)
  return took
}

/** Milliseconds until the browser's own process has left its mark. */
async function timeToBrowser(args, home) {
  rmSync(asked, { force: true })
  const browser = process.platform === 'win32' ? nodeMarker() : `sh -c ': > "$0"' ${asked}`
  const started = performance.timeOrigin + performance.now()
  const env = environment(home, { BROWSER: browser })
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: silent })
  const said = read(child.stderr)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const isOpen = async () => {
    while (!existsSync(asked)) {
      if (child.exitCode !== null) throw new Error(`${args.join(' ')} opened no browser:\n${await said}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  await isOpen()
  const took = statSync(asked).mtimeMs - started
  child.kill()
  await ended
  return took
}

/** The environment as it is, since it weighs on every Node alike, but for what would change the course of a flow. */
function environment(home, extra) {
  const meddling = /^(?:AUTH_CLI_|SSH_)|^(?:CI|BROWSER|DISPLAY|WAYLAND_DISPLAY|NODE_OPTIONS)$|_proxy$/i
  const kept = Object.entries(process.env).filter(([name]) => !meddling.test(name))
  return { ...Object.fromEntries(kept), HOME: folder, AUTH_CLI_HOME: home, ...extra }
}

function homeWith(name) {
  const home = path.join(folder, name)
  mkdirSync(home, { mode: 0o700 })
  return home
}

async function connectOnce(home) {
  const args = [command, 'connect', 'bench', '--client-id', 'bench-client', '--port', '0']
  await timeToEnd(args, home, { BROWSER: follower })
}

/** The home's only connection, over and over under other names. */
function fill(home, from, count) {
  const connections = path.join(home, 'connections')
  mkdirSync(connections, { mode: 0o700 })
  const [file] = readdirSync(path.join(from, 'connections'))
  const connection = JSON.parse(readFileSync(path.join(from, 'connections', file), 'utf8'))
  for (let at = 0; at < count; at++) {
    const name = `bench-${String(at).padStart(4, '0')}`
    writeFileSync(path.join(connections, `${name}.json`), `${JSON.stringify({ ...connection, name }, null, 2)}\n`, {
      mode: 0o600,
    })
  }
}

/** Flows of eight events each, one in a hundred failed, over segments of 10 MB. */
function fillLogs(home, events) {
  const logs = path.join(home, 'logs')
  mkdirSync(logs, { mode: 0o700 })
  const day = new Date().toISOString().slice(0, 10)
  const answer = { status: 200, statusText: 'OK', headers: [['content-type', 'application/json']], bytes: 1234 }
  let [text, segment] = ['', 1]
  const keep = () => writeFileSync(path.join(logs, `${day}.${segment++}.jsonl`), text, { mode: 0o600 })
  for (let flow = 0; flow < events / 8; flow++) {
    const stamp = (ms) => ({ flow: `f${String(flow).padStart(7, '0')}`, at: new Date().toISOString(), ms })
    const about = { deed: 'request', provider: `p${flow % 7}`, connection: `c${flow % 50}`, pid: 2 ** 30 }
    text += `${JSON.stringify({ ...stamp(0), type: 'flow.started', ...about })}\n`
    for (let call = 1; call <= 6; call++) {
      const request = { headers: [['authorization', 'Bearer acce…(1a2b)']] }
      const exchange = { purpose: 'api', method: 'GET', url: `https://api.test/v1/things/${call}`, request }
      text += `${JSON.stringify({ ...stamp(call), type: 'exchange', exchange: { ...exchange, response: answer, timing: { total: 12 } } })}\n`
    }
    const end =
      flow % 100 === 7 ? { state: 'failed', error: { code: 'HTTP_500', message: 'no' } } : { state: 'success' }
    text += `${JSON.stringify({ ...stamp(9), type: 'flow.ended', ...end, duration: 9 })}\n`
    if (text.length > 10_000_000) {
      keep()
      text = ''
    }
  }
  keep()
}

function template(port) {
  return `templates:
  bench:
    display_name: Bench
    auth_mode: OAUTH2
    authorization_url: http://localhost:${port}/authorize
    token_url: http://localhost:${port}/token
    proxy: { base_url: "http://localhost:${port}" }
`
}

/** Sends everybody straight back with a code, and gives a token for any. */
function openProvider() {
  const server = createServer((request, response) => {
    request.resume()
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/authorize') {
      const back = new URL(url.searchParams.get('redirect_uri') ?? '')
      back.searchParams.set('code', 'bench-code-0123456789')
      back.searchParams.set('state', url.searchParams.get('state') ?? '')
      response.writeHead(302, { location: back.href }).end()
    } else {
      const token = { access_token: 'bench-access-token-0123456789', token_type: 'bearer', expires_in: 86_400 }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token))
    }
  })
  return new Promise((resolve) => {
    server.listen(0, () => {
      const close = () => {
        server.close()
        server.closeAllConnections()
      }
      resolve({ port: server.address().port, close })
    })
  })
}

function nodeFollower() {
  const script = path.join(folder, 'follower.mjs')
  writeFileSync(script, 'await (await fetch(process.argv[2])).text()\n')
  return `"${process.execPath}" ${script}`
}

function nodeMarker() {
  const script = path.join(folder, 'marker.mjs')
  writeFileSync(script, "import { writeFileSync } from 'node:fs'\nwriteFileSync(process.argv[2], '')\n")
  return `"${process.execPath}" ${script} ${asked}`
}

async function read(stream) {
  let text = ''
  for await (const chunk of stream) text += chunk
  return text
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
