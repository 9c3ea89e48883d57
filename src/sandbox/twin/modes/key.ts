import type { Call, Endpoint, Stage, TwinMode } from '../stage.ts'
import { answerSts, stsUrls } from '../sts.ts'

/** A key that the template puts where it belongs; without a word from it, nothing is asked. */
export const apiKey: TwinMode = {}

/** Keys of AWS are tried at its token service, which no template names. */
function endpoints(stage: Stage): readonly Endpoint[] {
  const { issued, template } = stage.part
  if (template['credentials_verification_script'] !== 'awsIamCredentialsVerification') return []
  const { username = '', password = '', region } = issued.params
  const keys = { accessKeyId: username, secretAccessKey: password }
  return stsUrls(region).map((url) => ({
    what: 'the token service',
    url,
    methods: ['POST', 'GET'],
    answer: (call: Call) => answerSts(stage, call, keys, undefined),
  }))
}

/** RFC 7617, where the template does not put user and password elsewhere. */
export const basic: TwinMode = { endpoints, carrier: 'basic' }

/** An API that asks for nothing. */
export const open: TwinMode = {}
