// The parts of scripts/ that decide something: version ranges, platforms, what an addon needs.
import test from 'ava'
import { inspectElf, newest } from '../scripts/elf.mjs'
import { parseTarget, platformPackage, platforms } from '../scripts/platforms.mjs'
import { cargoHint, satisfies } from '../scripts/setup/toolchain.mjs'

test('satisfies: the range of package.json', (t) => {
  const range = '^20.19.0 || >=22.12.0'
  const accepted = ['20.19.0', '20.20.2', '22.12.0', '22.18.1', '24.0.0', '100.0.0']
  const refused = ['18.20.0', '20.18.9', '21.7.0', '22.11.9', '9.0.0']
  t.deepEqual(
    [...accepted, ...refused].filter((version) => satisfies(version, range)),
    accepted,
  )
})

test('newest compares versions by number, not by text', (t) => {
  t.is(newest(['2.9', '2.34', '2.17', '2.2.5']), '2.34')
  t.is(newest(['2.3.4', '2.3']), '2.3.4')
  t.is(newest([]), undefined)
})

test('inspectElf reads the C library and its version from the strings of the file', (t) => {
  const elf = (...strings: string[]) => Buffer.from(`\x7fELF\0${strings.join('\0')}\0`, 'latin1')
  t.deepEqual(inspectElf(elf('libc.so.6', 'GLIBC_2.9', 'GLIBC_2.17', 'GLIBC_PRIVATE')), { libc: 'glibc', glibc: '2.17' })
  t.deepEqual(inspectElf(elf('libc.so', 'malloc')), { libc: 'musl', glibc: undefined })
  t.throws(() => inspectElf(Buffer.from('MZ')), { message: /not an ELF file/ })
})

test('a Rust triple gives the package npm chooses by os, cpu and libc', (t) => {
  const { name, os, cpu, libc } = parseTarget('aarch64-unknown-linux-musl')
  t.deepEqual({ name, os, cpu, libc }, { name: 'linux-arm64-musl', os: 'linux', cpu: 'arm64', libc: 'musl' })
  t.is(parseTarget('x86_64-pc-windows-msvc').name, 'win32-x64-msvc')
  t.is(parseTarget('aarch64-apple-darwin').name, 'darwin-arm64')
  t.throws(() => parseTarget('riscv64gc-unknown-linux-gnu'), { message: /riscv64gc/ })
  t.throws(() => parseTarget('x86_64-unknown-freebsd'), { message: /freebsd/ })
})

test('every platform has its own name, and its package says whether it was tried', (t) => {
  t.is(new Set(platforms.map(({ packageName }) => packageName)).size, platforms.length)
  for (const platform of platforms) {
    const { json, readme } = platformPackage(platform)
    t.is(json.main, platform.addon)
    t.regex(readme, platform.tried ? /^Tried on/m : /^Not yet tried/m)
  }
})

test('a failed build is explained when its cause is known', (t) => {
  t.regex(cargoHint('error: linker `cc` not found'), /linker is missing/)
  t.regex(cargoHint('failed to download from `https://example.com`'), /network/)
  t.is(cargoHint('error[E0308]: mismatched types'), '')
})
