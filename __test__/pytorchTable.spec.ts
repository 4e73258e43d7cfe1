// docs/pytorch.md: what stands there by hand names functions and options that exist.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { DataLoader } from '../ts/data/index.ts'
import * as firn from '../ts/index.ts'

const x = firn.ones([2], { requiresGrad: true })
const names: Readonly<Record<string, unknown>> = { ...firn, DataLoader, x, opt: firn.optim.sgd().bind([x]) }
const rows = readFileSync(new URL('../docs/pytorch.md', import.meta.url), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, torch, text] = /^\| `([^`]+)` \| (.+) \|$/.exec(line) ?? []
    return torch === undefined || text === undefined || text.includes('](ops/') ? [] : [{ torch, text }]
  })

/** `optim.step({ from, gamma })` as a path and the names of options; null for a span that is no call or value of firn's. */
function parsed(span: string): { path: string[]; options: string[] } | null {
  const [, path, options = ''] = /^(?:await |new |using \w+ = )?([a-zA-Z]\w*(?:\.\w+)*)(?:\(\{ ([\w, ]+) \}\))?/.exec(span) ?? []
  return path !== undefined && path.split('.')[0] !== undefined && Object.hasOwn(names, path.split('.')[0] ?? '')
    ? { path: path.split('.'), options: options === '' ? [] : options.split(', ') }
    : null
}

test('a name of PyTorch has one row by hand', (t) => {
  t.true(rows.length > 80)
  t.deepEqual(
    rows.map(({ torch }) => torch).filter((torch, i, all) => all.indexOf(torch) !== i),
    [],
  )
})

for (const { torch, text } of new Map(rows.map((row) => [row.torch, row])).values()) {
  const spans = [...text.matchAll(/`([^`]+)`/g)].flatMap(([, span = '']) => parsed(span) ?? [])
  test(`${torch}: what is named exists, with its options`, (t) => {
    for (const { path, options } of spans) {
      let value: unknown = names
      let found = true
      for (const part of path) {
        found &&= typeof value === 'object' || typeof value === 'function' ? value !== null && part in value : false
        value = found ? Reflect.get(Object(value), part) : undefined
      }
      t.true(found, path.join('.'))
      if (path[0] !== 'optim' || options.length === 0 || typeof value !== 'function') continue
      try {
        Reflect.apply(value, undefined, [Object.fromEntries(options.map((name) => [name, 1]))])
      } catch (error) {
        t.notRegex(String(error), /unknown option/, path.join('.'))
      }
    }
    t.pass()
  })
}
