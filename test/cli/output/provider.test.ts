import { expect, it } from 'vitest'
import { type ProviderRow, providerScreen, providersTable } from '../../../src/cli/output/provider.ts'
import { drawn, hostile, isHarmless, pipe, provider } from './samples.ts'

const rows: ProviderRow[] = [
  {
    label: 'asks',
    lines: [
      ['--subdomain <name>', 'the part before .zendesk.com'],
      ['--client-id, --client-secret', 'from your OAuth client'],
    ],
  },
  {
    label: 'register',
    lines: [
      'https://[acme].zendesk.com/admin/apps-integrations/apis/zendesk-api/oauth_clients',
      'redirect URL  http://localhost:8749/oauth/callback',
    ],
  },
  { label: 'connect', lines: ['auth-cli connect zendesk --subdomain acme'] },
]

it('lists providers, one line each', async () => {
  expect(
    providersTable(
      [
        { ...provider, mode: 'OAUTH2' },
        { ...provider, mode: 'OAUTH2', name: 'mine', source: { ...provider.source, kind: 'person' } },
      ],
      await drawn(80),
    ),
  ).toBe(`\
  name     title    mode    from
  zendesk  Zendesk  OAUTH2  built in
  mine     Zendesk  OAUTH2  yours
`)
})

it('shows what a provider asks, where to register, and what to type', async () => {
  expect(providerScreen(provider, rows, await drawn(80))).toBe(`\
  Zendesk   OAUTH2 · built in (templates/zendesk.yaml)
  asks        --subdomain <name>             the part before .zendesk.com
              --client-id, --client-secret   from your OAuth client
  register    https://[acme].zendesk.com/admin/apps-integrations/apis/zendesk-api/oauth_clients
              redirect URL  http://localhost:8749/oauth/callback
  connect     auth-cli connect zendesk --subdomain acme
`)
})

it('puts cells below each other where there is no room beside', async () => {
  expect(providerScreen(provider, rows.slice(0, 1), await drawn(50))).toBe(`\
  Zendesk
  OAUTH2 · built in (templates/zendesk.yaml)
  asks        --subdomain <name>
                the part before .zendesk.com
              --client-id, --client-secret
                from your OAuth client
`)
})

it('tells of warnings and of templates that it hides', async () => {
  const hides = [{ kind: 'built-in' as const, file: 'templates/zendesk.yaml', hash: '' }]
  const warnings = [{ file: 'x', line: 3, field: 'zendesk.x', message: 'unknown field', severity: 'warning' as const }]
  const page = providerScreen({ ...provider, hides, warnings }, [], await drawn(80))
  expect(page).toContain('  hides       templates/zendesk.yaml\n')
  expect(page).toContain('  ! line 3, zendesk.x: unknown field\n')
})

it('lets nothing through that acts on a terminal', async () => {
  const evil = {
    ...provider,
    name: hostile,
    title: hostile,
    template: { auth_mode: hostile, categories: [hostile] },
    source: { ...provider.source, file: hostile },
    warnings: [{ file: hostile, field: hostile, message: hostile, fix: hostile, severity: 'warning' as const }],
  }
  const style = await drawn(pipe)
  expect(isHarmless(providersTable([evil], style))).toBe(true)
  expect(isHarmless(providerScreen(evil, [{ label: hostile, lines: [hostile, [hostile, hostile]] }], style))).toBe(true)
})
