import test from 'ava'
import { Upsample } from '../../ts/nn/index.ts'
import { checkLayers } from './layers.ts'

checkLayers('Upsample', (options) => new Upsample(options))

test('Upsample takes a size or a factor, one of them', (t) => {
  t.throws(() => new Upsample({}), { code: 'argument', message: 'Upsample: give either size or scaleFactor' })
  t.throws(() => new Upsample({ size: 2, scaleFactor: 2 }), { code: 'argument', message: /either size or scaleFactor/ })
})
