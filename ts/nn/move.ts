// Moves the tensors of a module to another dtype or device.
import { noGrad } from '../autograd/index.ts'
import type { DType, FloatDType } from '../tensor/index.ts'
import { Buffer, type OwnedTensor, Parameter } from './parameter.ts'

/** Where to; what is not given stays as it is. */
export interface Place {
  readonly dtype?: FloatDType
  readonly device?: string
}

/** `value` at another place, or `value` itself if it is there already; whole numbers keep their dtype. */
export function moveTensor(value: OwnedTensor, place: Place): OwnedTensor {
  return value instanceof Parameter ? moveParameter(value, place) : moveBuffer(value, place)
}

function moveParameter(value: Parameter<FloatDType>, { dtype = value.dtype, device = value.device }: Place): Parameter<FloatDType> {
  if (value.dtype === dtype && value.device === device) return value
  const moved = new Parameter(noGrad(() => value.to({ dtype, device })))
  moved.requiresGrad = value.requiresGrad
  return moved
}

function moveBuffer(value: Buffer<DType>, place: Place): Buffer<DType> {
  const dtype = floats.has(value.dtype) ? (place.dtype ?? value.dtype) : value.dtype
  const device = place.device ?? value.device
  if (value.dtype === dtype && value.device === device) return value
  return new Buffer(value.to({ dtype, device }), { key: value.key, persistent: value.persistent })
}

const floats: ReadonlySet<DType> = new Set<DType>(['float64', 'float32', 'float16', 'bfloat16'])
