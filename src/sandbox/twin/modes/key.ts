import type { TwinMode } from '../stage.ts'

/** A key that the template puts where it belongs; without a word from it, nothing is asked. */
export const apiKey: TwinMode = {}

/** RFC 7617, where the template does not put user and password elsewhere. */
export const basic: TwinMode = { carrier: 'basic' }

/** An API that asks for nothing. */
export const open: TwinMode = {}
