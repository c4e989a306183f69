// Reading and writing a VMCB where it lies: of a draft, while an instruction executes, or of a sealed state.
import type { SegmentState } from '@retrovisor/core';
import { coreAttributes, vmcbAttributes } from './saved-state.js';
import { vmcbPlace } from './vmcb-places.js';

/** Physical memory to read a VMCB from. */
export interface VmcbMemory {
  read(address: bigint, bytes: 1 | 2 | 4 | 8): bigint;
}

interface WritableMemory extends VmcbMemory {
  write(address: bigint, bytes: 1 | 2 | 4 | 8, value: bigint): void;
}

/** A field of 8 bytes. */
export function readQuadword(memory: VmcbMemory, vmcb: bigint, field: string): bigint {
  return memory.read(vmcb + BigInt(vmcbPlace(field).offset), 8);
}

export function writeQuadword(memory: WritableMemory, vmcb: bigint, field: string, value: bigint): void {
  memory.write(vmcb + BigInt(vmcbPlace(field).offset), 8, value);
}

/** A segment register with its hidden part, as core has it; the base as it stands in memory. */
export function readSegment(memory: VmcbMemory, vmcb: bigint, field: string): SegmentState {
  const at = vmcb + BigInt(vmcbPlace(field).offset);
  return {
    selector: memory.read(at, 2),
    attributes: BigInt(coreAttributes(Number(memory.read(at + 2n, 2)))),
    limit: memory.read(at + 4n, 4),
    base: memory.read(at + 8n, 8),
  };
}

export function writeSegment(memory: WritableMemory, vmcb: bigint, field: string, segment: SegmentState): void {
  const at = vmcb + BigInt(vmcbPlace(field).offset);
  memory.write(at, 2, segment.selector);
  memory.write(at + 2n, 2, BigInt(vmcbAttributes(Number(segment.attributes))));
  memory.write(at + 4n, 4, segment.limit);
  memory.write(at + 8n, 8, segment.base);
}
