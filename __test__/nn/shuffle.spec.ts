import test from 'ava'
import { ChannelShuffle, PixelShuffle, PixelUnshuffle } from '../../ts/nn/index.ts'
import { checkLayers } from './layers.ts'

checkLayers('PixelShuffle', ({ factor }) => new PixelShuffle(Number(factor)))
checkLayers('PixelUnshuffle', ({ factor }) => new PixelUnshuffle(Number(factor)))
checkLayers('ChannelShuffle', ({ groups }) => new ChannelShuffle(Number(groups)))

test('a factor of no size is refused by name', (t) => {
  t.throws(() => new PixelShuffle(0), { code: 'argument', message: 'PixelShuffle: factor must be a whole number >= 1, got 0' })
})
