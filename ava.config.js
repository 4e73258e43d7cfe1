// Tests are TypeScript that Node 24 runs as it is; `firn-source` makes 'firn-ml' mean the sources.
export default {
  files: ['__test__/**/*.spec.ts'],
  extensions: ['ts'],
  nodeArguments: ['--conditions=firn-source', '--expose-gc'],
  workerThreads: false,
  concurrency: 2,
  timeout: '5m',
}
