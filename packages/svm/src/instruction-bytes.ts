// Decode assists (APM, "Decode Assists"): the bytes at CS:RIP that #VMEXIT reports for page faults on data. Bytes of the page
// that the instruction begins on; a processor may have fetched on from the next one.
import type { Cpu } from '@retrovisor/core';
import { hasFeature } from './features.js';

const LONGEST = 15;
const PAGE_BYTES = 4096;

/** The bytes that were fetched; none where the processor has no decode assists. */
export function instructionBytes(cpu: Cpu): readonly number[] {
  if (!hasFeature(cpu.profile, 'DecodeAssists')) return [];
  const linear = cpu.mode === '64-bit' ? cpu.RIP : BigInt.asUintN(32, cpu.RIP + cpu.read('CS.base'));
  const [low, high] = [Number(BigInt.asIntN(32, linear)), Number(BigInt.asIntN(32, linear >> 32n))];
  const count = Math.min(LONGEST, PAGE_BYTES - (low & (PAGE_BYTES - 1)));
  try {
    const physical = cpu.draft.tlb.translate(low, high, CODE_SEGMENT, 'fetch');
    return [...cpu.draft.memory.readBytes(physical, count)];
  } catch (thrown) {
    if (thrown instanceof Error) throw thrown;
    return []; // a fault of the guest or of its nested tables: nothing could be fetched
  }
}

/** Number of CS. */
const CODE_SEGMENT = 1;
