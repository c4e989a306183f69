// What checksums start from: the prefix for the header, prefix and header for every other chunk. A chunk of a recording of
// another machine, or of another format version, therefore fits nowhere.
import { sha256 } from '@noble/hashes/sha2.js';

/** Where the checksum of the header starts. */
export function headerSeed(prefix: Uint8Array): Uint8Array {
  return sha256(prefix);
}

/** Where the checksums of all other chunks start. */
export function traceSeed(seedOfHeader: Uint8Array, header: Uint8Array): Uint8Array {
  return sha256.create().update(seedOfHeader).update(header).digest();
}
