// The source files of a program, kept in the folder of its run: the entry script and what it imports of its own project.
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'

const kinds = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json']

// What is larger is data, and who imports more is no project.
const mostBytes = 2 ** 20
const mostFiles = 1000

// Strings behind from, import, require, and URLs beside import.meta, which is how workers are named. No parser: those for JavaScript
// fail on types, and one too many, from a comment, costs the copy of a file.
const imports = /\b(?:from|import|require|import\.meta\.resolve|new\s+URL)\s*\(?\s*(['"`])(\.{0,2}[/#][^'"`\n]*)\1/g

/**
 * Copies the entry script, and the files that it imports, into a folder, in the structure that they have. Left out is what lies outside of the
 * entry's project (below the nearest package.json) or in node_modules, what only a running program could name, and imported files of more
 * than 1 MiB.
 */
export function keepSources(entry: string, folder: string): void {
  const script = fileAt(entry)
  if (script === undefined) return
  const files = sourcesOf(script)
  const top = topOf(files)
  for (const below of new Set(files.map((file) => dirname(relative(top, file))))) mkdirSync(join(folder, below), { recursive: true })
  for (const file of files) copyFileSync(file, join(folder, relative(top, file)))
}

function sourcesOf(script: string): readonly string[] {
  // A set hands out what is added while it is gone through.
  const found = new Set([script])
  if (isInstalled(script)) return [script]
  const project = projectOf(script)
  for (const file of found) {
    for (const imported of importedBy(file)) {
      if (found.size < mostFiles && isWithin(project, imported) && !isInstalled(imported)) found.add(imported)
    }
  }
  return [...found]
}

function importedBy(file: string): string[] {
  if (extname(file) === '.json') return []
  const names = Array.from(readFileSync(file, 'utf8').matchAll(imports), ([, , name = '']) => name)
  const files = names.map((name) => (name.startsWith('#') ? aliased(file, name) : fileAt(resolve(dirname(file), name), mostBytes)))
  return files.filter((found) => found !== undefined)
}

// Names that a package.json gives to its own files.
function aliased(file: string, name: string): string | undefined {
  try {
    return createRequire(file).resolve(name)
  } catch {
    return undefined
  }
}

// As Node, bundlers and TypeScript find files: as it is written, with an extension, as a folder, or .js for a .ts.
function fileAt(path: string, most = Infinity): string | undefined {
  const candidates = [
    ...(kinds.includes(extname(path)) ? [path] : []),
    path.replace(/js(x?)$/, 'ts$1'),
    ...kinds.map((kind) => path + kind),
    ...kinds.map((kind) => join(path, `index${kind}`)),
  ]
  return candidates.find((candidate) => {
    const facts = statSync(candidate, { throwIfNoEntry: false })
    return facts?.isFile() === true && facts.size <= most
  })
}

/** The folder of the nearest package.json; without one, that of the script. */
function projectOf(script: string): string {
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) return dirname(script)
  }
}

function isWithin(folder: string, file: string): boolean {
  const path = relative(folder, file)
  return path.split(sep)[0] !== '..' && !isAbsolute(path)
}

const isInstalled = (file: string): boolean => file.split(sep).includes('node_modules')

/** The folder that all files are in. */
const topOf = (files: readonly string[]): string =>
  files
    .map((file) => dirname(file))
    .reduce((top, folder) => {
      let common = top
      while (!isWithin(common, folder)) common = dirname(common)
      return common
    })
