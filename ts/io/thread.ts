// Where a thread of ours finds its program, in words that need no types of Node.

/** What a thread runs, and the flags of Node that it runs with. */
export interface ThreadProgram {
  readonly url: string
  readonly flags: { readonly execArgv?: string[] }
}

/** The file beside `caller` of this name, without its extension: a source where the caller is one, else what became of it. */
export function threadProgram(caller: string, file: string): ThreadProgram {
  return { url: new URL(`${file}${caller.endsWith('.ts') ? '.ts' : '.js'}`, caller).href, flags: inherited() }
}

// A program given on the command line has a flag that a thread, whose program is a file, may not inherit.
function inherited(): ThreadProgram['flags'] {
  const { execArgv } = process
  return execArgv.some((arg) => arg.startsWith('--input-type'))
    ? { execArgv: execArgv.filter((arg) => arg.startsWith('--conditions')) }
    : {}
}
