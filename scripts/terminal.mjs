// Pictures of a terminal: `npm run docs:terminal` runs examples/digits.ts on a pseudo terminal of Linux and draws into docs/images what is seen
// there near the end of the last epoch (progress.svg) and after the run (run.svg).
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import xterm from '@xterm/headless'

const root = join(import.meta.dirname, '..')
const images = join(root, 'docs/images')
const columns = 124
const rows = 60
const command = `${process.execPath} --conditions=firn-source ${join(root, 'examples/digits.ts')}`
const title = 'examples/digits.ts in a terminal'
const nearTheEnd = /train {2}epoch 6\/6 .* (?:[89]\d|1\d\d)\/\d+ /

const terminal = new xterm.Terminal({ cols: columns, rows, convertEol: false, allowProposedApi: true })
const folder = mkdtempSync(join(tmpdir(), 'firn-terminal-'))
// Without anything that the terminal of the caller has set; script(1) of util-linux gives the program a terminal.
const child = spawn('script', ['-qefc', `stty cols ${columns} rows ${rows}; exec ${command}`, '/dev/null'], {
  cwd: folder,
  env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color' },
  stdio: ['ignore', 'pipe', 'inherit'],
})
const ended = new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve))
let during = ''
for await (const bytes of child.stdout) {
  await new Promise((resolve) => terminal.write(bytes, () => resolve(undefined)))
  if (during === '' && nearTheEnd.test(lines().map(textOf).join('\n'))) during = draw()
}
const code = await ended
rmSync(folder, { recursive: true, force: true })
if (code !== 0) throw new Error(`examples/digits.ts ended with ${String(code)}`)
if (during === '') throw new Error(`no bar of the last epoch was seen; expected ${String(nearTheEnd)}`)
writeFileSync(join(images, 'progress.svg'), during)
writeFileSync(join(images, 'run.svg'), draw())

/** @typedef {import('@xterm/headless').IBufferCell} Cell */

/** The lines with something on them. @returns {Cell[][]} */
function lines() {
  const { active } = terminal.buffer
  const all = Array.from({ length: active.length }, (_, y) => {
    const line = active.getLine(y)
    return Array.from({ length: columns }, (_, x) => line?.getCell(x)).filter((cell) => cell !== undefined)
  })
  return all.slice(0, all.findLastIndex((cells) => textOf(cells) !== '') + 1)
}

/** @param {Cell[]} cells */
function textOf(cells) {
  return cells
    .map((cell) => cell.getChars() || ' ')
    .join('')
    .trimEnd()
}

/** The screen as SVG: a piece of text for each run of cells that look alike. */
function draw() {
  const [width, height, margin] = [8.4, 17, 16]
  const seen = lines()
  const text = seen.flatMap((cells, y) =>
    pieces(cells).map(({ x, length, chars, look }) => {
      const at = `x="${round(margin + x * width)}" y="${margin + y * height + 14}" textLength="${round(length * width)}"`
      return `<text ${at}${look}>${escaped(chars)}</text>`
    }),
  )
  const size = [2 * margin + Math.max(...seen.map((cells) => textOf(cells).length)) * width, 2 * margin + seen.length * height].map(round)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size[0]} ${size[1]}" width="${size[0]}" height="${size[1]}" role="img">`,
    `<title>${title}</title>`,
    '<style>text { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 14px; fill: #d6dbe2 }</style>',
    '<rect width="100%" height="100%" rx="8" fill="#11161d"/>',
    ...text,
    '</svg>\n',
  ].join('\n')
}

/** What looks alike and has no wide gap in it, so that it stands in its place whatever the font. @param {Cell[]} cells */
function pieces(cells) {
  const end = textOf(cells).length
  /** @type {{ x: number, length: number, chars: string, look: string }[]} */
  const found = []
  for (const [x, cell] of cells.slice(0, end).entries()) {
    const last = found.at(-1)
    const chars = cell.getChars() || ' '
    const isGap = chars === ' ' && cells[x + 1]?.getChars().trim() === ''
    if (last?.look === lookOf(cell) && !isGap && !(last.chars === ' ')) {
      last.chars += chars
      last.length += 1
    } else {
      found.push({ x, length: 1, chars, look: lookOf(cell) })
    }
  }
  return found.filter(({ chars }) => chars.trim() !== '')
}

/** @param {Cell} cell */
function lookOf(cell) {
  /** The colours that firn uses of the first sixteen. @type {Record<number, string>} */
  const palette = { 2: '#6fcf7c', 6: '#56c8d8' }
  const color = cell.isFgPalette() ? palette[cell.getFgColor()] : undefined
  return [
    color === undefined ? '' : ` style="fill: ${color}"`,
    cell.isBold() ? ' font-weight="bold"' : '',
    cell.isDim() ? ' opacity="0.6"' : '',
  ].join('')
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll(' ', '\u00a0').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10
}
