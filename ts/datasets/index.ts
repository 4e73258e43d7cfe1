// Datasets to begin with, and files that make datasets.
export { type Idx, readIdx } from './idx.ts'
export { type Mnist, mnist, type MnistOptions } from './mnist.ts'
export { type ColumnKind, type ColumnValue, type RowOf, type Schema } from './columns.ts'
export { csv, type CsvOptions, type TextSource } from './csv.ts'
export { jsonl } from './jsonl.ts'
export { ImageFolder, imageFolder, type ImageFolderOptions, type LabelledImage } from './imageFolder.ts'
export { type TextOptions, type TextWindow, TextWindows, textWindows } from './text.ts'
