import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { LogFile } from '../../ts/observe/logFile.ts'
import { folder } from '../graph/toys.ts'

/** What is warned of while `work` runs. */
async function warnings(work: () => Promise<void>): Promise<string[]> {
  const seen: string[] = []
  const { warn } = console
  console.warn = (line: string) => void seen.push(line)
  try {
    await work()
  } finally {
    console.warn = warn
  }
  return seen
}

test('pieces arrive in order, behind the head of a new file; its folder is made', async (t) => {
  const path = join(folder(t), 'a', 'log')
  const file = new LogFile(path, 'head\n')
  file.write('1\n')
  t.false(existsSync(path), 'nothing is written before it has to be')
  const [first, second] = [file.flush(), (file.write(Uint8Array.of(50, 10)), file.flush())]
  await Promise.all([first, second])
  t.is(readFileSync(path, 'utf8'), 'head\n1\n2\n')
  file.write('3\n')
  await file.close()
  t.is(readFileSync(path, 'utf8'), 'head\n1\n2\n3\n')
})

test('a file that is there is gone on with, without a second head', async (t) => {
  const path = join(folder(t), 'log')
  writeFileSync(path, 'old\n')
  const file = new LogFile(path, 'head\n')
  file.write('new\n')
  await file.close()
  t.is(readFileSync(path, 'utf8'), 'old\nnew\n')
})

test('without a piece there is no file', async (t) => {
  const path = join(folder(t), 'log')
  const file = new LogFile(path, 'head\n')
  file.write('')
  await file.close()
  t.false(existsSync(path))
})

test.serial('a file that cannot be written is warned of once, and takes pieces again when it can', async (t) => {
  const path = join(folder(t), 'log')
  mkdirSync(path)
  const file = new LogFile(path)
  const lines = await warnings(async () => {
    for (const piece of ['1\n', '2\n']) {
      file.write(piece)
      await file.flush()
    }
    await file.close()
  })
  t.is(lines.length, 1)
  t.regex(lines[0] ?? '', /log '.*': E\w+: .*; the run goes on/)
})

test.serial('a piece that was written in part is cut off before the next', async (t) => {
  const path = join(folder(t), 'log')
  const handle = await open(path, 'a')
  const handles: FileHandle = Object.getPrototypeOf(handle)
  const { appendFile } = handles
  const file = new LogFile(path)
  file.write('whole\n')
  await file.flush()
  handles.appendFile = async function (this: FileHandle) {
    await appendFile.call(this, 'to')
    throw new Error('ENOSPC: no space left')
  }
  await warnings(async () => {
    file.write('torn\n')
    await file.flush()
  })
  t.is(readFileSync(path, 'utf8'), 'whole\nto')
  handles.appendFile = appendFile
  file.write('after\n')
  await file.close()
  await handle.close()
  t.is(readFileSync(path, 'utf8'), 'whole\nafter\n')
})

if (existsSync('/dev/full')) {
  test.serial('a full disk is warned of once', async (t) => {
    const file = new LogFile('/dev/full', 'head\n')
    const lines = await warnings(async () => {
      for (const piece of ['1\n', '2\n', '3\n']) {
        file.write(piece)
        await file.flush()
      }
      await file.close()
    })
    t.is(lines.length, 1)
    t.regex(lines[0] ?? '', /ENOSPC/)
  })
}
