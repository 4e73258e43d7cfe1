// The version of firn-ml, from the package.json it came with.
import { readFileSync } from 'node:fs'

/** As in package.json: `0.1.0`. */
export function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return version
}
