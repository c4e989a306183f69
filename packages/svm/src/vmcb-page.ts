// The 4 KBytes of a VMCB or of the host save area as 32-bit words, where they lie. Where there is no RAM all bits read as ones, and
// what is stored is lost.
import type { Cpu } from '@retrovisor/core';

const WORDS = 1024;
const absent = (): Int32Array => new Int32Array(WORDS).fill(-1);

/** The words of a page, to be read at once: they are there until memory is accessed in another way. */
export const pageWords = (cpu: Cpu, address: number): Int32Array => cpu.memory.frameWords(address) ?? absent();

/** The words of a page, to be changed in ranges of bytes. */
export const changedPageWords = (
  cpu: Cpu,
  address: number,
  ranges: readonly (readonly [offset: number, bytes: number])[],
): Int32Array => cpu.memory.changeFrameWords(address, ranges) ?? absent();
