// How far each rule gets in a number of steps, at the best of a grid of rates: `npm run bench -- convergence`. No times, but losses.
import { mkdirSync, writeFileSync } from 'node:fs'
import { optim, tensorScope } from '../ts/index.ts'
import { isRule } from '../ts/optim/rule.ts'
import { rules } from '../ts/optim/rules.gen.ts'
import { tasks, type Task } from './problems.ts'

const rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 10]
/** What has to be said for a rule to be itself. */
const options: Partial<Record<optim.RuleName, object>> = { sgd: { momentum: 0.9 }, lars: { momentum: 0.9, alwaysAdapt: true } }

interface Run {
  readonly lr: number
  readonly losses: readonly number[]
  /** The mean loss of the last tenth of the steps. */
  readonly end: number
}

function train(rule: optim.RuleName, lr: number, { steps, open }: Task): Run {
  const { params, loss } = open()
  using opt = new optim.Optimizer(rule, { ...options[rule], lr }).bind([...params])
  const losses: number[] = []
  for (let step = 0; step < steps; step++) {
    using _scope = tensorScope()
    const value = loss()
    value.backward()
    opt.step()
    opt.zeroGrad()
    losses.push(value.itemSync())
  }
  for (const param of params) param.dispose()
  const last = losses.slice(-steps / 10)
  return { lr, losses, end: last.reduce((a, b) => a + b, 0) / last.length }
}

/** Means of a fiftieth of the steps each. */
const thinned = (losses: readonly number[]): number[] => {
  const size = losses.length / 50
  return Array.from({ length: 50 }, (_, k) => losses.slice(k * size, (k + 1) * size).reduce((a, b) => a + b, 0) / size)
}

const found = Object.entries(tasks).map(([task, work]) => {
  console.log(`\n${task}, ${work.steps} steps`)
  const best = Object.keys(rules)
    .filter(isRule)
    .map((rule) => {
      const runs = rates.map((lr) => train(rule, lr, work)).filter(({ end }) => Number.isFinite(end))
      const run = runs.reduce((a, b) => (b.end < a.end ? b : a))
      return { rule, lr: run.lr, end: run.end, losses: thinned(run.losses) }
    })
    .toSorted((a, b) => a.end - b.end)
  for (const { rule, lr, end } of best) console.log(`  ${rule.padEnd(18)} lr ${String(lr).padEnd(7)} ends at ${end.toPrecision(4)}`)
  return { task, steps: work.steps, rules: best }
})
mkdirSync(new URL('results', import.meta.url), { recursive: true })
writeFileSync(new URL('results/convergence.json', import.meta.url), `${JSON.stringify({ topic: 'convergence', rates, tasks: found })}\n`)
