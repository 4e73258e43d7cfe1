// Loaded before a program and each of its threads: kills the process when a checkpoint is written and synced, but not yet under its name.
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { basename } from 'node:path'

const { rename } = files
files.rename = async (from, to) => {
  if (basename(String(to)) === '016.safetensors') process.kill(process.pid, 'SIGKILL')
  return rename(from, to)
}
syncBuiltinESMExports()
