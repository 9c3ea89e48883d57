import { expect, it } from 'vitest'
import { newPerson } from '../support/person.ts'

it('plays a provider from its template, tells what it issued and where, and ends with Ctrl-C', async () => {
  const person = newPerson()
  const words = ['sandbox', '--as', 'zendesk', '--param', 'subdomain=shop', '--port', '0']
  const running = person.start([...words, '--json'])
  const [line] = await running.shows(/\{.*\}\n/)
  const told = JSON.parse(line)
  expect(told).toMatchObject({ provider: 'zendesk', fault: null, params: { subdomain: 'shop' } })
  const served = (what: string): string => told.places.find((one: { what: string }) => one.what === what).served
  expect(served('the token endpoint')).toBe(`${told.origin}/-/https/shop.zendesk.com/oauth/tokens`)
  const { id, secret } = told.client
  const ask = (client_secret: string): Promise<Response> => {
    const fields = { grant_type: 'authorization_code', code: 'x', expires_in: '1800', client_id: id, client_secret }
    return fetch(served('the token endpoint'), { method: 'POST', body: new URLSearchParams(fields) })
  }
  expect(await (await ask('wrong')).json()).toMatchObject({ error: 'invalid_client' })
  expect(await (await ask(secret)).json()).toMatchObject({ error: 'invalid_grant' })
  running.child.kill('SIGINT')
  expect((await running.ended).stderr).toBe('')

  const again = person.start(words)
  await again.shows(/A twin of Zendesk listens at http:\/\/localhost:\d+/)
  await again.shows(new RegExp(`client secret +${secret.replace(/[+]/g, '\\+')}`))
  again.child.kill('SIGINT')
  expect((await again.ended).stderr).toContain('Stopped.')
})

it('plays a template of one’s own with the fault that was asked for', async () => {
  const person = newPerson()
  person.write(
    'auth-cli.yaml',
    'templates:\n  acme:\n    display_name: Acme\n    auth_mode: OAUTH2_CC\n    token_url: https://id.acme.example/token\n',
  )
  const running = person.start(['sandbox', '--as', 'acme', '--fault', 'rate-limited', '--port', '0', '--json'])
  const { places, client } = JSON.parse((await running.shows(/\{.*\}\n/))[0])
  const body = new URLSearchParams({ client_id: client.id, client_secret: client.secret })
  expect((await fetch(places[0].served, { method: 'POST', body })).status).toBe(429)
})

it.each([
  [['--as', 'zendesk', '--param', 'sub=x'], 'The template asks nothing called "sub".', 'It asks: subdomain.'],
  [['--as', 'nobody-knows'], 'There is no provider called "nobody-knows"', ''],
  [['--as', 'zendesk', '--fault', 'nothing'], 'The sandbox has no fault called "nothing".', 'wrong-state'],
  [['--param', 'a=b'], '--param answers the questions of a template', 'auth-cli sandbox --as <provider>'],
])('refuses %j', async (words, message, hint) => {
  const { status, stdout, stderr } = await newPerson().run(['sandbox', '--port', '0', ...words])
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
  expect(stderr).toContain(hint)
})

it('refuses what a twin cannot play', async () => {
  const person = newPerson()
  const template = 'auth_mode: OAUTH2, installation: outbound, token_url: https://id.acme.example/token'
  person.write('auth-cli.yaml', `templates:\n  acme: { display_name: Acme, ${template} }\n`)
  const { status, stderr } = await person.run(['sandbox', '--port', '0', '--as', 'acme'])
  expect(status).toBe(2)
  expect(stderr).toContain('There is no twin of acme: its code comes to a public webhook')
  expect(stderr).toContain('plays a provider of its own')
})

it('approves what connects under CI while it runs elsewhere', async () => {
  const person = newPerson()
  const running = person.start(['sandbox', '--port', '0', '--json'])
  await running.shows(/\{.*\}\n/)
  const connected = await person.run(['connect', 'sandbox', '--port', '0', '--timeout', '30'], { env: { CI: 'true' } })
  expect(connected, connected.stderr).toMatchObject({ status: 0 })
  running.child.kill('SIGINT')
  await running.ended
})
