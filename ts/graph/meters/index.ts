// Meters: given values iteration by iteration, they say at the end what these amount to.
export { accuracy, type AccuracyOptions, confusion } from './accuracy.ts'
export { dict } from './dict.ts'
export { type ErrorInputs, meanAbsoluteError, rootMeanSquaredError } from './errors.ts'
export type { BinaryInputs, BinaryOptions, ClassInputs, ClassOptions, LabelInputs, LabelOptions } from './labelled.ts'
export { type BinaryRatioOptions, type ClassRatioOptions, f1, iou, precision, type RatioMeter, recall } from './ratios.ts'
export { average, movingAverage, perplexity, sum, value } from './simple.ts'
