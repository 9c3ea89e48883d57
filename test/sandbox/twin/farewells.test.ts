import { expect, it } from 'vitest'
import { findProvider } from '../../../src/catalog/find.ts'
import { sourceAt } from '../../../src/catalog/sources.ts'
import { presetOf } from '../../../src/cli/twin.ts'
import { connect } from '../../../src/connect.ts'
import { integrate } from '../../../src/integrate.ts'
import { refresh } from '../../../src/refresh.ts'
import { revoke } from '../../../src/revoke.ts'
import { openTwin } from '../../../src/sandbox/index.ts'
import { catalogueFile } from '../../support/catalogue.ts'
import { freshFolder } from '../../support/disk.ts'
import { call, worldOf } from '../../support/twins.ts'
import { failure } from '../../support/world.ts'

/** A connection to a twin of the catalogue's provider. */
async function connected(name: string) {
  const provider = await findProvider(name, [sourceAt('added', catalogueFile)])
  const { redirect_uri: _, issuer: __, ...template } = provider.template
  const twin = await openTwin({ name, names: provider.names, template })
  const world = worldOf(twin, freshFolder(), [], template.auth_mode)
  const { params, clientId, clientSecret } = presetOf(template, twin.issued)
  const located = { name, provider: { ...provider, template } }
  await connect(world, await integrate(world, located, { params, clientId, clientSecret, port: 0 }))
  return { twin, world }
}

it.each([
  ['hubspot', ['refresh token']],
  ['onelogin', ['access token']],
  ['quickbooks', ['refresh token', 'access token']],
])('a token of %s that was given back is good for nothing more', async (name, revoked) => {
  const { twin, world } = await connected(name)
  try {
    await call(world, name)
    const before = await world.store.connections.read(name)
    expect((await revoke(world, name)).revoked).toEqual(revoked)
    await world.store.connections.update(name, () => before as NonNullable<typeof before>)
    if (revoked.includes('refresh token'))
      expect(await failure(refresh(world, name, { force: true }))).toMatchObject({ code: 'INVALID_GRANT' })
    else await expect(call(world, name)).rejects.toThrow()
  } finally {
    await twin.close()
  }
})

it('a token that is none is not taken back', async () => {
  const { twin, world } = await connected('quickbooks')
  try {
    const before = await world.store.connections.read('quickbooks')
    if (before === undefined) throw new Error('nothing was saved')
    const credential = { ...before.credential, refreshToken: 'none-of-its-own' }
    await world.store.connections.update('quickbooks', () => ({ ...before, credential }))
    expect(await failure(revoke(world, 'quickbooks'))).toMatchObject({ code: 'REVOCATION_REFUSED', status: 404 })
  } finally {
    await twin.close()
  }
})
