import { createHmac } from 'node:crypto'
import { type Secrets, secretsUnder } from '../../src/model/secret.ts'

/** The secrets of a run in a home whose key is this byte, thirty-two times. */
export function secretsOfHome(byte: number): Secrets {
  const key = Buffer.alloc(32, byte)
  return secretsUnder((value) => createHmac('sha256', key).update(value).digest('hex'))
}
