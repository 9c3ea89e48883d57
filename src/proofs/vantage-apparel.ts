import { readXml, writeXml, type XmlValue } from '../signing/xml.ts'
import { isSuccess, type Reply, type Trial } from './trial.ts'

const envelope = 'http://schemas.xmlsoap.org/soap/envelope/'
const service = 'https://brandedpromoapparel.com/Schema/CustomerLookupService/'
/** Nobody has it (RFC 6761 §6.4): no customer's data is asked for. */
const nobody = 'auth-cli-trial@nobody.invalid'

/** The code that PromoStandards has for credentials that failed. */
const refused = '105'

/** A look-up of accounts, by SOAP 1.1: user and password stand in its body, and errors come with 200. */
export const vantageApparel: Trial = {
  call: async ({ given }) => ({
    method: 'POST',
    target: '/CustomerLookupService.svc',
    headers: [
      ['content-type', 'text/xml; charset=utf-8'],
      ['soapaction', '"getAccountsByEmail"'],
    ],
    body: await writeXml({
      'soap:Envelope': {
        '$xmlns:soap': envelope,
        'soap:Body': {
          'look:GetAccountsByEmailRequest': {
            '$xmlns:look': service,
            'look:wsVersion': '1.0.0',
            'look:id': given['username'] ?? '',
            'look:password': given['password'] ?? '',
            'look:keyword': nobody,
          },
        },
      },
    }),
  }),
  objection,
}

async function objection(reply: Reply): Promise<string | undefined> {
  if (!isSuccess(reply)) return `answered ${reply.status}`
  const document = (await readXml(reply.text)) ?? {}
  const [root = ''] = Object.keys(document)
  if (localName(root) !== 'Envelope') return `answered ${reply.status} with something else than SOAP`
  if (textsOf('code', document).includes(refused)) return `answered with the code ${refused}`
  return textsOf('Fault', document).length > 0 ? 'answered with a fault' : undefined
}

/** What stands in elements of that name, at any depth and under any prefix; of one that holds others, its own text. */
function textsOf(name: string, value: XmlValue): readonly string[] {
  if (typeof value === 'string') return []
  return Object.entries(value).flatMap(([key, members]) => {
    const all: readonly XmlValue[] = isList(members) ? members : [members]
    return all.flatMap((one) => (localName(key) === name ? [ownText(one), ...textsOf(name, one)] : textsOf(name, one)))
  })
}

function isList(value: XmlValue | readonly XmlValue[]): value is readonly XmlValue[] {
  return Array.isArray(value)
}

function ownText(value: XmlValue): string {
  const text = typeof value === 'string' ? value : value['#text']
  return typeof text === 'string' ? text : ''
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
