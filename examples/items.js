// Runs as it stands in a project of modules ("type": "module"): node items.js. With a provider of yours, leave the sandbox and `browse` out: your browser opens.
import { connect, items, request, token } from 'auth-cli'
import { approve, openSandbox } from 'auth-cli/sandbox'

const sandbox = await openSandbox()

const connection = await connect('sandbox', {
  params: { port: String(sandbox.port) },
  credentials: { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' },
  scopes: ['read', 'write'],
  port: 0,
  browse: approve,
})

const added = await request(connection, '/api/items', { body: { title: 'A new item' } })
console.log(added.status, await added.json())

let count = 0
for await (const item of items(connection, '/api/items')) if (item.title) count += 1
console.log(`${count} items; the token begins with ${(await token(connection)).slice(0, 7)}`)

await sandbox.close()
