// A package registry on the loopback address that serves a few tarballs: the true `npm install`, without anything being published.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename } from 'node:path'

/** A package as it would be published: what its package.json says, and its tarball. */
export interface Published {
  readonly manifest: { readonly name: string; readonly version: string }
  readonly tarball: string
}

export interface Registry {
  readonly url: string
  /** The paths asked for, in order. */
  readonly requests: readonly string[]
  close(): void
}

/** Serves the packages on a free port until `close()`. */
export async function serveRegistry(packages: readonly Published[]): Promise<Registry> {
  const requests: string[] = []
  const files = new Map(packages.map(({ tarball }) => [`/-/${basename(tarball)}`, readFileSync(tarball)]))
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/')
    requests.push(path)
    const file = files.get(path)
    if (file) return response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(file)
    const found = packages.find(({ manifest }) => `/${manifest.name}` === path)
    if (!found) return response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(packument(found, url)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
  return { url, requests, close: () => server.close() }
}

function packument({ manifest, tarball }: Published, url: string): object {
  const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  const dist = { integrity, tarball: `${url}/-/${basename(tarball)}` }
  return {
    name: manifest.name,
    'dist-tags': { latest: manifest.version },
    versions: { [manifest.version]: { ...manifest, dist } },
  }
}
