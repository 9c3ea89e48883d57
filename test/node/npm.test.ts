import { expect, test } from 'vitest'
import { isPackageSpec } from '../../src/node/npm.ts'

test.each([
  ['@nangohq/providers', true],
  ['@nangohq/providers@0.71.10', true],
  ['templates', true],
  ['templates@^1.2.0', true],
  ['./templates', false],
  ['../templates', false],
  ['/etc/passwd', false],
  ['--registry=http://evil.example', false],
  ['-g', false],
  ['git+ssh://evil.example/x', false],
  ['https://evil.example/x.tgz', false],
  ['github:evil/x', false],
  ['a b', false],
  ['a;b', false],
  ['a"b', false],
  ['$(b)', false],
  ['@/x', false],
  ['', false],
])('"%s" can be a package: %s', (word, isPackage) => {
  expect(isPackageSpec(word)).toBe(isPackage)
})
