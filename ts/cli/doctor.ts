// `firn doctor`: what a person needs to know when the native core is missing, slow or not the expected one.
import { availableParallelism } from 'node:os'
import { packageVersion } from './version.ts'

interface Report {
  readonly firn: string
  readonly node: string
  readonly platform: string
  /** What was loaded; undefined when nothing could be. */
  readonly core: Core | undefined
  readonly error: string | undefined
}

interface Core {
  readonly path: string
  readonly from: string
  readonly version: string
  readonly features: readonly string[]
  readonly devices: readonly string[]
  readonly threads: number
  readonly cores: number
  readonly simd: string
}

/** Prints the report; the exit status is 1 when no native core could be loaded. */
export async function doctor({ json }: { json: boolean }): Promise<number> {
  const report = await examine()
  console.log(json ? JSON.stringify(report, null, 2) : describe(report))
  return report.core ? 0 : 1
}

async function examine(): Promise<Report> {
  const machine = {
    firn: packageVersion(),
    node: `${process.versions.node} (Node-API ${process.versions.napi ?? 'unknown'})`,
    platform: [process.platform, process.arch, libc()].filter(Boolean).join(' '),
  }
  try {
    // Loaded here, not above: a core that does not load is what this command is for.
    const { nativeInfo } = await import('../backend/index.ts')
    const { target, ...info } = nativeInfo()
    return { ...machine, core: { ...info, from: origin(info.path, target), cores: availableParallelism() }, error: undefined }
  } catch (error) {
    return { ...machine, core: undefined, error: error instanceof Error ? error.message : String(error) }
  }
}

/** Why this file and no other, in the order in which the loader looks. */
function origin(path: string, target: string): string {
  if (process.env['FIRN_NATIVE_PATH'] !== undefined) return 'FIRN_NATIVE_PATH names it'
  const packageName = `@firn-ml/${target}`
  return path.includes('node_modules') ? `the installed package ${packageName}` : `built in this folder; it goes before ${packageName}`
}

/** The C library of a Linux machine, as `glibc 2.36` or `musl`. */
function libc(): string | undefined {
  if (process.platform !== 'linux') return undefined
  // Without this the report asks the name server about every open connection.
  const report: object = Object.assign(process.report, { excludeNetwork: true }).getReport()
  const header: object = 'header' in report && typeof report.header === 'object' && report.header !== null ? report.header : {}
  return 'glibcVersionRuntime' in header ? `glibc ${String(header.glibcVersionRuntime)}` : 'musl'
}

function describe({ firn, node, platform, core, error }: Report): string {
  const found = core && {
    core: core.path,
    from: core.from,
    version: core.version,
    features: core.features.join(', '),
    devices: core.devices.join(', '),
    threads: `${core.threads} for the CPU kernels, of ${core.cores} cores`,
    simd: core.simd,
  }
  const mismatch = core && core.version !== firn ? [`\nThe core is of version ${core.version}, firn-ml of ${firn}: install both anew.`] : []
  const rows = Object.entries({ firn, node, platform, ...found }).map(([name, value]) => `${name.padEnd(9)} ${value}`)
  return [...rows, ...mismatch, ...(error === undefined ? [] : [`\n${error}`])].join('\n')
}
