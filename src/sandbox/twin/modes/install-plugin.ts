import { askToInstall } from '../install.ts'
import type { Endpoint, Stage, TwinMode } from '../stage.ts'

const stateName = 'payload'

function endpoints(stage: Stage): readonly Endpoint[] {
  const link = stage.part.issued.params['appLink'] ?? ''
  if (!URL.canParse(link)) return []
  const { origin, pathname } = new URL(link)
  const answer: Endpoint['answer'] = (call) => askToInstall(stage, call, stateName)
  return [{ what: 'where the plugin is installed', url: new URL(origin + pathname), methods: ['GET'], answer }]
}

/** The state comes back as it was called, and there is no code: the plugin has its key already. */
function callback(_: Stage, params: URLSearchParams): void {
  const state = params.get('state')
  params.delete('state')
  params.delete('code')
  if (state !== null) params.set(stateName, state)
}

/** A plugin that a customer installs; the plugin's own name and key are good for all of them. */
export const installPlugin: TwinMode = { endpoints, callback, carrier: 'basic' }
