// Trains and logs in the folder given until it is killed.
import { jsonl } from '../../ts/observe/index.ts'
import { train } from '../../ts/run/index.ts'
import { toy } from './toy.ts'

await toy([jsonl({ every: 1 })]).run([train({ steps: 1e9 })], { outDir: process.argv[2] ?? 'out' })
