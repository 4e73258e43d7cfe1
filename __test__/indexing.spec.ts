// Places that do not exist and indices that do not fit: errors that say so, never a wrong read.
import test from 'ava'
import { arange, einsum, linalg, tensor, zeros } from '../ts/tensor/index.ts'

const positions = (...list: number[]) => tensor(list, { dtype: 'int64' })
const x = arange(0, 6).reshape([2, 3]).keep()

const refused: readonly [string, () => unknown, RegExp][] = [
  ['a place behind the end', () => x.at(2), /place 2 does not exist in dim 0 of \[2, 3\]/],
  ['more places than dimensions', () => x.at(0, 0, 0), /places for 3 dimensions of \[2, 3\]/],
  ['two ellipses', () => x.at('...', '...'), /'\.\.\.' may stand once/],
  ['a fraction in a range', () => x.at([0.5, 1]), /whole numbers or null/],
  ['a negative step', () => x.at([null, null, -1]), /use \.flip\(\) to reverse/],
  ['a position behind the end', () => x.at(positions(0, 2)), /position 2 is out of range for dim 0 of \[2, 3\]; expected -2 to 1/],
  ['positions that are no integers', () => x.at(tensor([0, 1])), /must hold integers and is float32/],
  ['positions that do not broadcast', () => x.at(positions(0, 1), positions(0, 1, 2)), /do not broadcast/],
  ['a mask of another size', () => x.at(tensor([true, false, true])), /a mask \[3\] at dim 0 does not fit \[2, 3\]/],
  ['values that do not fit', () => x.indexPut([positions(0)], zeros([2])), /does not expand/],
  ['a range in indexPut', () => x.indexPut([[0, 1] as never], 1), /use selectScatter or sliceScatter/],
  ['take beyond the elements', () => x.take(positions(6)), /position 6 is out of range for the 6 elements of \[2, 3\]/],
  [
    'scatter with a short source',
    () => x.scatter(1, positions(0, 1).reshape([1, 2]), zeros([1, 1])),
    /at least as large as the index \[1, 2\]/,
  ],
  ['scatter beyond the end', () => x.scatter(1, tensor([[3]], { dtype: 'int64' }), 1), /position 3 is out of range for 3 entries/],
  ['unequal parts', () => x.hsplit(2), /does not divide into 2 equal parts; use tensorSplit/],
  ['windows that do not fit', () => x.unfold(1, 4), /size may be 3 at most/],
  ['a reflection longer than the input', () => x.pad([3, 0], { mode: 'reflect' }), /this mode can add 2 on a side/],
  ['an equation for another number of tensors', () => einsum('ij,jk->ik', x), /describes 2 tensors, and 1 were given/],
  ['sizes that disagree', () => einsum('ij,jk->ik', x, x), /'j' of 'ij,jk->ik' is 3 in one tensor and 2 in another/],
  ['a letter from nowhere', () => einsum('ij->k', x), /holds 'k'/],
  ['too few dimensions', () => einsum('ijk->i', x), /'ijk' names 3 dimensions and its tensor is \[2, 3\]/],
  ['a power of no square', () => linalg.matrixPower(x, 2), /no square matrix/],
]

for (const [what, run, message] of refused) test(`refused: ${what}`, (t) => void t.throws(run, { message, name: 'FirnError' }))
