// Charts and tables of what was measured last: `npm run bench:charts`. Reads benches/results, writes docs/images and docs/convergence.md.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
if (!existsSync(join(here, 'node_modules'))) execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: here, stdio: 'inherit' })
const [vega, lite] = [await import('vega'), await import('vega-lite')]

const docs = join(here, '../../docs')
const result = (topic) => JSON.parse(readFileSync(join(here, `../results/${topic}.json`), 'utf8'))
const [blue, grey, red] = ['#2f6db5', '#9aa5b1', '#c2410c']
const config = {
  background: 'white',
  font: 'Helvetica, Arial, sans-serif',
  view: { stroke: null },
  axis: {
    grid: true,
    gridColor: '#eceff3',
    domain: false,
    ticks: false,
    labelColor: '#475569',
    titleColor: '#475569',
    titleFontWeight: 'normal',
  },
  header: { labelColor: '#0f172a', labelFontSize: 12, title: null },
  legend: { title: null, labelColor: '#475569', orient: 'top', symbolType: 'square' },
  title: { anchor: 'start', color: '#0f172a', fontSize: 14, subtitleColor: '#475569', subtitleFontSize: 11 },
}

/** Draws a Vega-Lite specification into docs/images. */
async function draw(name, spec) {
  const view = new vega.View(vega.parse(lite.compile({ config, ...spec }).spec), { renderer: 'none' })
  mkdirSync(join(docs, 'images'), { recursive: true })
  writeFileSync(join(docs, 'images', `${name}.svg`), `${await view.toSVG()}\n`)
  console.log(`docs/images/${name}.svg`)
}

/** The memory traffic of each rule's step, fused and plain, for each set of parameters, beside what memory gives. */
async function optimizer() {
  const { rows, device, threads, triad } = result('optimizer')
  const shown = rows.flatMap(({ name, min, median, rate }) => {
    const [, rule, set, form] = /^(\w+), (.+), (fused|plain)$/.exec(name) ?? []
    return form ? [{ rule, form, rate: (rate.value * median) / min, set: set === '12 x 512 x 512' ? '1 x 16.8 M' : set }] : []
  })
  const large = (rule) => Math.max(...shown.filter((row) => row.rule === rule && row.set === '1 x 16.8 M').map(({ rate }) => rate))
  const rules = [...new Set(shown.map(({ rule }) => rule))].toSorted((a, b) => large(b) - large(a))
  await draw('optimizer', {
    title: {
      text: "Memory traffic of an optimizer's step at its fastest, GB/s",
      subtitle: [
        `Sets of float32 tensors (Muon, among the first: twelve of 512 x 512); ${device}, ${threads} threads.`,
        'The line is what memory gave: a = b + s * c. The last two sets stay in the caches.',
      ],
    },
    data: { values: shown.map((row) => ({ ...row, line: triad })) },
    facet: { field: 'set', type: 'nominal', sort: [...new Set(shown.map(({ set }) => set))] },
    columns: 2,
    resolve: { scale: { x: 'shared' } },
    spec: {
      width: 300,
      layer: [
        {
          mark: { type: 'bar', height: { band: 0.9 } },
          encoding: {
            y: { field: 'rule', type: 'nominal', sort: rules, title: null, axis: { grid: false } },
            yOffset: { field: 'form', sort: ['fused', 'plain'] },
            x: { field: 'rate', type: 'quantitative', title: 'GB/s' },
            color: { field: 'form', scale: { domain: ['fused', 'plain'], range: [blue, grey] } },
          },
        },
        {
          mark: { type: 'rule', color: red, strokeDash: [4, 3] },
          encoding: { x: { aggregate: 'max', field: 'line', type: 'quantitative' } },
        },
      ],
    },
  })
}

/** Small multiples: each rule at its best rate, with AdamW in grey behind it. */
async function convergence() {
  const { tasks, rates } = result('convergence')
  const pages = []
  for (const { task, steps, rules } of tasks) {
    const name = `convergence-${task.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`
    const points = (losses) => losses.map((loss, k) => ({ step: ((k + 0.5) * steps) / losses.length, loss }))
    const reference = points(rules.find(({ rule }) => rule === 'adamW').losses)
    const values = rules.flatMap(({ rule, lr, losses }) => {
      const title = `${rule}, lr ${lr}`
      return [
        ...reference.map((point) => ({ ...point, title, line: 'AdamW' })),
        ...points(losses).map((point) => ({ ...point, title, line: 'rule' })),
      ]
    })
    await draw(name, {
      title: { text: `${task}: loss over ${steps} steps`, subtitle: 'Each rule at the best of its rates, best rule first; AdamW in grey.' },
      data: { values },
      facet: { field: 'title', type: 'nominal', sort: rules.map(({ rule, lr }) => `${rule}, lr ${lr}`) },
      columns: 5,
      bounds: 'flush',
      spacing: { column: 24, row: 44 },
      spec: {
        width: 140,
        height: 80,
        mark: { type: 'line', clip: true },
        encoding: {
          x: { field: 'step', type: 'quantitative', title: null, axis: { tickCount: 3 } },
          y: {
            field: 'loss',
            type: 'quantitative',
            title: null,
            scale: task === 'next character' ? { zero: false } : { type: 'log', nice: false },
            axis: { tickCount: 3 },
          },
          color: { field: 'line', scale: { domain: ['AdamW', 'rule'], range: [grey, blue] }, legend: null },
        },
      },
    })
    const table = rules.map(({ rule, lr, end }, place) => `| ${place + 1} | \`${rule}\` | ${lr} | ${end.toPrecision(3)} |`)
    pages.push(
      `## ${task}\n\n![loss over ${steps} steps](images/${name}.svg)\n\n| | rule | rate | loss |\n| --- | --- | --- | --- |\n${table.join('\n')}`,
    )
  }
  const page = `# How the rules converge

Every rule on three problems: Rosenbrock's valley from (-1.5, 1.5), digits by a perceptron, and the next character of this project's
design notes. Each tries the rates ${rates.join(', ')}; the best counts, by the mean loss of the last tenth of the steps. Everything else is
at its default, but that SGD and LARS have a momentum of 0.9, and LARS adapts always. The same start and the same batches for all. Short
runs say how fast a rule gets going, not where it ends; a problem of yours may order them otherwise.

\`npm run bench -- convergence\` measures, \`npm run bench:charts\` writes this page.

${pages.join('\n\n')}
`
  writeFileSync(join(docs, 'convergence.md'), page)
  console.log('docs/convergence.md')
}

await optimizer()
await convergence()
