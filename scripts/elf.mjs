// What a Linux addon asks of its C library, read from the file, without binutils.

/** @param {readonly string[]} versions as 2.34 @returns {string | undefined} */
export function newest(versions) {
  const number = (/** @type {string} */ version) => version.split('.').reduce((sum, part, i) => sum + Number(part) / 1000 ** i, 0)
  return versions.toSorted((a, b) => number(a) - number(b)).at(-1)
}

/**
 * Every library and symbol version an ELF file needs is a zero-terminated string in it; a stray one could only make us too strict.
 *
 * @param {Buffer} file
 * @returns {{ libc: 'glibc' | 'musl' | undefined, glibc: string | undefined }} glibc: the newest version it needs
 */
export function inspectElf(file) {
  if (file.toString('latin1', 0, 4) !== '\x7fELF') throw new Error('not an ELF file')
  const text = file.toString('latin1')
  const versions = Array.from(text.matchAll(/\0GLIBC_(\d+\.\d+(?:\.\d+)?)(?=\0)/g), (match) => match[1] ?? '')
  const libc = text.includes('\0libc.so.6\0') ? 'glibc' : text.includes('\0libc.so\0') || text.includes('\0libc.musl-') ? 'musl' : undefined
  return { libc, glibc: newest([...new Set(versions)]) }
}
