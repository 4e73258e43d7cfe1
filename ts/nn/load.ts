// Loading a state dict: everything is compared before anything is assigned.
import { noGrad } from '../autograd/index.ts'
import { checkOptions, FirnError, nearest } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'

/** A tensor whose shape or dtype differs between module and state dict. */
export interface Mismatch {
  readonly key: string
  readonly expected: { readonly dtype: DType; readonly shape: readonly number[] }
  readonly found: { readonly dtype: DType; readonly shape: readonly number[] }
}

/** What kept a state dict from fitting; all lists are empty when it fitted. */
export interface LoadReport {
  /** Names that the module has and the state dict lacks. */
  readonly missing: readonly string[]
  /** Names that the state dict has and the module lacks. */
  readonly unexpected: readonly string[]
  readonly mismatched: readonly Mismatch[]
}

/** Assigns `state` to `targets` by name; `what` opens the error message. */
export function loadTensors(
  what: string,
  targets: ReadonlyMap<string, Tensor<DType>>,
  state: Readonly<Record<string, Tensor<DType>>>,
  options: { strict?: boolean },
): LoadReport {
  checkOptions(what, options, ['strict'])
  const { report, matched } = compare(targets, state)
  if ((options.strict ?? true) && matched.length < targets.size + report.unexpected.length) {
    throw new FirnError('argument', describe(what, report))
  }
  noGrad(() => matched.forEach(([target, value]) => target.assign(value)))
  return report
}

/** What `loadTensors` reports, without assigning anything. */
export function compareTensors(targets: ReadonlyMap<string, Tensor<DType>>, state: Readonly<Record<string, Tensor<DType>>>): LoadReport {
  return compare(targets, state).report
}

function compare(targets: ReadonlyMap<string, Tensor<DType>>, state: Readonly<Record<string, Tensor<DType>>>) {
  const missing: string[] = []
  const mismatched: Mismatch[] = []
  const matched: [target: Tensor<DType>, value: Tensor<DType>][] = []
  for (const [key, target] of targets) {
    const value = Object.hasOwn(state, key) ? state[key] : undefined
    if (value === undefined) missing.push(key)
    else if (typeOf(value) === typeOf(target)) matched.push([target, value])
    else mismatched.push({ key, expected: typeSummary(target), found: typeSummary(value) })
  }
  const unexpected = Object.keys(state).filter((key) => !targets.has(key))
  return { report: { missing, unexpected, mismatched }, matched }
}

function describe(what: string, { missing, unexpected, mismatched }: LoadReport): string {
  const count = missing.length + unexpected.length + mismatched.length
  const near = (key: string, among: readonly string[]): string => {
    const name = nearest(key, among)
    return name === undefined ? '' : ` (did you mean '${name}'?)`
  }
  return [
    `${what}: ${count} ${count === 1 ? 'difference' : 'differences'}, nothing was loaded; { strict: false } loads what fits`,
    ...missing.map((key) => `  missing: ${key}${near(key, unexpected)}`),
    ...unexpected.map((key) => `  unexpected: ${key}${near(key, missing)}`),
    ...mismatched.map(
      ({ key, expected, found }) => `  mismatched: ${key} is ${typeOf(expected)} in the module, ${typeOf(found)} in the state dict`,
    ),
  ].join('\n')
}

const typeSummary = ({ dtype, shape }: Tensor<DType>): Mismatch['expected'] => ({ dtype, shape })

const typeOf = ({ dtype, shape }: Mismatch['expected']): string => `${dtype} [${shape.join(', ')}]`
