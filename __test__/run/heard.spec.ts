import test from 'ava'
import { heard } from '../../ts/run/heard.ts'

const failing = (): Promise<number> => Promise.reject(new Error('no'))
const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

test('a failure that nobody waits for is told of, and is no unhandled rejection', async (t) => {
  const told: unknown[] = []
  const { over } = heard(failing(), (error) => told.push(error))
  await over
  await turn()
  t.deepEqual(
    told.map((error) => error instanceof Error && error.message),
    ['no'],
  )
})

test('one that somebody waits for is theirs alone, whichever way they wait', async (t) => {
  const told: unknown[] = []
  const made = (): Promise<number> => heard(failing(), (error) => told.push(error)).promise
  const caught: unknown[] = []
  const note = (error: unknown) => void caught.push(error)
  const awaiting = async (): Promise<number> => await made()
  await Promise.all([awaiting().catch(note), made().catch(note), made().then(undefined, note), Promise.all([made(), turn()]).catch(note)])
  await t.throwsAsync(made().finally(() => {}))
  t.is(caught.length, 4)
  t.deepEqual(told, [])
})

test('what succeeds is what it was', async (t) => {
  const told: unknown[] = []
  const { promise, over } = heard(Promise.resolve(3), (error) => told.push(error))
  t.is(await promise, 3)
  await over
  t.deepEqual(told, [])
})
