import { type Fields, type Kind, templateFields } from './fields.ts'
import { meanings, promptMeanings } from './meanings.ts'

/** A JSON Schema, draft 7: the one that editors understand best. */
export type Schema = Readonly<Record<string, unknown>>

/**
 * The JSON Schema of a file of templates, made from the table of fields that the check reads. What the check warns of as
 * unknown, the schema forbids, since in an editor that is how a slip is seen.
 */
export function providerSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'provider.schema.json',
    title: 'Provider templates of auth-cli',
    description: 'A mapping of names to templates, in the format of auth-cli and Nango.',
    type: 'object',
    propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', maxLength: 100 },
    additionalProperties: { $ref: '#/definitions/template' },
    definitions: {
      template: templateSchema(),
      prompt: objectOf(promptTable(), promptMeanings),
    },
  }
}

function templateSchema(): Schema {
  return {
    ...objectOf(templateFields, meanings),
    // What an alias inherits, no schema can see.
    if: { required: ['alias'] },
    // biome-ignore lint/suspicious/noThenProperty: it is the schema's own word
    then: {},
    else: {
      required: ['display_name', 'auth_mode'],
      if: { required: ['auth_mode'], properties: { auth_mode: { const: 'OAUTH2' } } },
      // biome-ignore lint/suspicious/noThenProperty: it is the schema's own word
      then: {
        anyOf: [
          { required: ['issuer'] },
          { required: ['authorization_url', 'token_url'] },
          { required: ['installation', 'token_url'] },
        ],
      },
    },
  }
}

function promptTable(): Fields {
  const { connection_config: prompts } = templateFields
  if (prompts?.is !== 'each') throw new TypeError('connection_config is no table of questions')
  return prompts.fields
}

function objectOf(fields: Fields, says: Readonly<Record<string, string>> = {}): Schema {
  const properties = Object.entries(fields).map(([name, kind]) => {
    const description = says[name]
    return [name, { ...schemaOf(kind), ...(description === undefined ? {} : { description }) }]
  })
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(properties) }
}

const scalar: Schema = { type: ['string', 'number', 'boolean'] }

function schemaOf(kind: Kind): Schema {
  switch (kind.is) {
    case 'any':
      return {}
    case 'text':
      return textSchema(kind)
    case 'flag':
      return { type: 'boolean' }
    case 'number':
      return { type: 'number' }
    case 'texts': {
      const list = { type: 'array', items: { type: 'string' } }
      return kind.orText === true ? { anyOf: [{ type: 'string' }, list] } : list
    }
    case 'scalars':
      return { type: 'object', additionalProperties: scalar }
    case 'map':
      return { type: 'object' }
    case 'each':
      return { type: 'object', additionalProperties: { $ref: '#/definitions/prompt' } }
    case 'fields':
      return objectOf(kind.fields)
    case 'list':
      return { type: 'array', items: { type: 'object' } }
    case 'either':
      return { anyOf: kind.kinds.map(schemaOf) }
  }
}

function textSchema(kind: Kind & { readonly is: 'text' }): Schema {
  return {
    type: 'string',
    ...(kind.oneOf === undefined ? {} : { enum: kind.oneOf }),
    // A placeholder may stand for a whole URL.
    ...(kind.url === true ? { pattern: '^\\s*([hH][tT][tT][pP][sS]?://|\\$\\{)' } : {}),
    ...(kind.pattern === true ? { format: 'regex' } : {}),
  }
}
