import { expect, test } from 'vitest'
import { prove, seal, unseal } from '../../src/sandbox/seal.ts'

const key = Buffer.alloc(32, 1)

test('opens what it sealed, and nothing of another kind, another key or another text', () => {
  const sealed = seal(key, 'access', { id: 'ü' })
  expect(unseal(key, 'access', sealed)).toEqual({ id: 'ü' })
  const other = seal(key, 'access', { id: 'other' })
  const swapped = `${sealed.split('.')[0]}.${other.split('.')[1]}`
  for (const wrong of [sealed.replace('access_', 'refresh_'), swapped, `${sealed}x`, sealed.slice(1), '', 'access_.']) {
    expect(unseal(key, 'access', wrong)).toBeUndefined()
  }
  expect(unseal(key, 'refresh', sealed)).toBeUndefined()
  expect(unseal(key, 'refresh', sealed.replace('access_', 'refresh_'))).toBeUndefined()
  expect(unseal(Buffer.alloc(32, 2), 'access', sealed)).toBeUndefined()
})

test('a proof is for one port, one process and one challenge', () => {
  const proof = prove(key, 1, 2, 'a')
  expect(prove(key, 1, 2, 'a')).toBe(proof)
  expect([prove(key, 3, 2, 'a'), prove(key, 1, 3, 'a'), prove(key, 1, 2, 'b')]).not.toContain(proof)
})
