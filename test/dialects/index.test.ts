import { expect, it } from 'vitest'
import { dialectOf } from '../../src/dialects/index.ts'
import { slack } from '../../src/dialects/slack.ts'

it('gives an alias the accent of what it stands for', () => {
  expect(dialectOf(['slack'])).toBe(slack)
  expect(dialectOf(['our-slack', 'slack'])).toBe(slack)
  expect(dialectOf(['zendesk'])).toEqual({})
  expect(dialectOf(['constructor'])).toEqual({})
})
