// The part of crc-32 that comes without types.
declare module 'crc-32/crc32c.js' {
  const crc32c: {
    /** The checksum by Castagnoli's polynomial, as a signed number of 32 bits. */
    buf(bytes: Uint8Array): number
  }
  export default crc32c
}
