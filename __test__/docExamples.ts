// Examples of the documentation as programs: found in JSDoc, made into functions, their `// value` comments checked.
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { Tensor } from '../ts/tensor/index.ts'

/** Code of an example and the symbol it belongs to: `tidy`, or `Tensor.slice` for a member. */
export interface DocExample {
  readonly symbol: string
  readonly lines: readonly string[]
}

const modifiers =
  /^(?:export|declare|default|abstract|override|async|static|protected|readonly|get|set|function|class|interface|type|const)\s+/

/** The name that a declaration gives, null for code that declares nothing. */
function declared(code: string): string | null {
  let rest = code.trim()
  while (modifiers.test(rest)) rest = rest.replace(modifiers, '')
  return /^([\w$]+)\??\s*[(<:=;{]|^([\w$]+)\s+(?:extends|implements)/.exec(rest)?.slice(1).find(Boolean) ?? null
}

/** The text of a JSDoc comment without its stars. */
const bare = (comment: string) =>
  comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())

/** The lines below or beside `@example`, to the next tag; none without one. */
function exampleIn(comment: string): readonly string[] {
  const lines = bare(comment)
  const start = lines.findIndex((line) => line.includes('@example'))
  if (start < 0) return []
  const first = lines[start]?.split('@example')[1]?.trim() ?? ''
  const end = lines.findIndex((line, i) => i > start && /^@\w/.test(line))
  const below = lines.slice(start + 1, end < 0 ? undefined : end)
  return [first, ...below].filter((line) => line.trim() !== '')
}

/** Every documented symbol of a source with the lines of its example; members under `Class.member`. */
export function documented(path: URL): readonly DocExample[] {
  const source = readFileSync(path, 'utf8')
  let owner = ''
  const found = Array.from(
    source.matchAll(/^( *)(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\s*([^\n]*)/gm),
    ([, indent = '', comment = '', code = '']) => {
      const name = declared(code)
      if (name === null) return null
      if (indent === '') owner = /\bclass\b/.test(code) ? name : ''
      return { symbol: indent === '' || owner === '' ? name : `${owner}.${name}`, lines: exampleIn(comment) }
    },
  )
  return found.filter((entry) => entry !== null)
}

/** A line of code and the comment behind it, if it has one outside of a string. */
function parts(line: string): { code: string; comment: string | null } {
  const match = /^((?:[^'"`/]|'[^']*'|"[^"]*"|`[^`]*`|\/(?!\/))*)\/\/\s*(.*)$/.exec(line)
  return match ? { code: (match[1] ?? '').trim(), comment: match[2] ?? '' } : { code: line, comment: null }
}

/** `a; b; c` as `a; b;` and `c`. */
function lastStatement(code: string): [before: string, last: string] {
  const at = code.lastIndexOf('; ') + 1
  const depth = Array.from(code.slice(at)).reduce((sum, c) => sum + Number('([{'.includes(c)) - Number(')]}'.includes(c)), 0)
  return depth === 0 ? [code.slice(0, at), code.slice(at).trim()] : ['', code]
}

/** A statement that is held against the comment behind it. */
function checked(code: string, comment: string): string {
  const expected = JSON.stringify(comment)
  if (comment.startsWith('throws ')) return `await thrown(async () => { ${code} }, ${expected})`
  const named = /^const (\w+)\b[^=]*=(?!=)/.exec(code)?.[1]
  if (named !== undefined) return `${code}; await check(${named}, ${expected})`
  return `await check(${/^console\.log\((.*)\)$/.exec(code)?.[1] ?? code}, ${expected})`
}

/**
 * The code of an example with each checked line made a call of `check(value, 'expected')`. A line is checked when a comment stands
 * behind it: `expression // value`, `const name = expression // value`, `console.log(expression) // value`, or `... // throws 'code'`.
 */
export function compile(lines: readonly string[]): { code: string; checks: number } {
  let checks = 0
  const body = lines.map((line) => {
    const { code, comment } = parts(line)
    if (comment === null || code === '') return line
    checks++
    const [before, last] = lastStatement(code)
    return `${before} ${checked(last, comment)}`
  })
  const program = body.join('\n').replace(/^import (\{[^}]*\}) from '([^']+)'/gm, (_, names: string, from: string) => {
    return `const ${names.replace(/\btype \w+,?/g, '').replace(/ as /g, ': ')} = await load('${from}')`
  })
  return { code: stripTypeScriptTypes(program), checks }
}

/** Tensors as nested arrays, typed arrays as arrays, bigints as numbers, deep inside arrays and objects. */
async function plain(value: unknown): Promise<unknown> {
  const awaited: unknown = await value
  if (awaited instanceof Tensor) return awaited.toArray()
  if (typeof awaited === 'bigint') return Number(awaited)
  if (ArrayBuffer.isView(awaited) && Symbol.iterator in awaited) return Array.from(awaited as Iterable<number | bigint>, Number)
  if (Array.isArray(awaited)) return Promise.all(awaited.map(plain))
  if (typeof awaited === 'object' && awaited !== null) {
    return Object.fromEntries(await Promise.all(Object.entries(awaited).map(async ([key, entry]) => [key, await plain(entry)])))
  }
  return awaited
}

function close(got: unknown, want: unknown): boolean {
  if (typeof got === 'number' && typeof want === 'number') {
    return Object.is(got, want) || got === want || Math.abs(got - want) <= 1e-4 * Math.max(1, Math.abs(want))
  }
  if (typeof got !== 'object' || got === null || typeof want !== 'object' || want === null) return Object.is(got, want)
  const [left, right] = [Object.entries(got), new Map(Object.entries(want))]
  return (
    Array.isArray(got) === Array.isArray(want) && left.length === right.size && left.every(([key, value]) => close(value, right.get(key)))
  )
}

/** The value that a comment writes; a JavaScript literal. */
function literal(text: string): unknown {
  try {
    return new Function(`return (${text})`)()
  } catch {
    throw new Error(`'// ${text}' is no value: write a literal, \`shape [2, 3]\` or \`throws 'code'\`, and prose on a line of its own`)
  }
}

async function check(value: unknown, text: string): Promise<void> {
  const shape = /^shape (\[.*\])$/.exec(text)?.[1]
  const awaited: unknown = await value
  const got = shape !== undefined && awaited instanceof Tensor ? [...awaited.shape] : await plain(awaited)
  const want = await plain(literal(shape ?? text))
  if (!close(got, want)) throw new Error(`the example says ${text} and the value is ${JSON.stringify(got) ?? String(got)}`)
}

async function thrown(run: () => Promise<void>, text: string): Promise<void> {
  const code = literal(text.slice('throws '.length))
  try {
    await run()
  } catch (error) {
    const found = error instanceof Error && 'code' in error ? error.code : error
    if (found === code) return
    throw new Error(`the example says ${text} and it threw ${String(found)}`, { cause: error })
  }
  throw new Error(`the example says ${text} and it threw nothing`)
}

const modules: Readonly<Record<string, () => Promise<object>>> = {
  'firn-ml': () => import('../ts/index.ts'),
  'firn-ml/data': () => import('../ts/data/index.ts'),
  'node:fs': () => import('node:fs'),
  'firn-ml/datasets': () => import('../ts/datasets/index.ts'),
}

async function load(name: string): Promise<object> {
  const module = modules[name]
  if (module === undefined) throw new Error(`no module '${name}'; there are ${Object.keys(modules).join(', ')}`)
  return module()
}

/** Runs an example with `scope` in reach; rejects where it throws or a value differs. */
export async function runExample(lines: readonly string[], scope: Readonly<Record<string, unknown>>): Promise<void> {
  const { code } = compile(lines)
  const names = { ...scope, check, thrown, load }
  // An async function around it has its own block, so that an example may declare a name that is also an export.
  const run = new Function(...Object.keys(names), `return (async () => {\n${code}\n})()`)
  await Reflect.apply(run, undefined, Object.values(names))
}
