// The I/O and MSR permission maps (APM, "IOIO Intercepts", "MSR Intercepts"): which ports and MSRs a guest may access by
// itself. Both are read when they are asked; a processor may keep what it read.
import type { Cpu } from '@retrovisor/core';
import { numberIn } from './processor-registers.js';

/** Bytes of the maps. */
export const IOPM_BYTES = 12 * 1024;
export const MSRPM_BYTES = 8 * 1024;

const base = (cpu: Cpu, name: 'IOPM_BASE_PA' | 'MSRPM_BASE_PA'): number => {
  const address = numberIn(cpu, name);
  return address - (address % 4096); // bits 11:0 are ignored
};

/** Whether any of the ports of an access has its bit set. One that begins at port FFFFH goes on in the map's third page. */
export function isPortIntercepted(cpu: Cpu, port: number, bytes: number): boolean {
  const first = base(cpu, 'IOPM_BASE_PA') + (port >> 3);
  const bits = Number(cpu.memory.read(first, 1)) | (Number(cpu.memory.read(first + 1, 1)) << 8);
  return ((bits >> (port & 7)) & ((1 << bytes) - 1)) !== 0;
}

/** MSRs that have bits, two each: where they begin, and at which byte of the map. */
const RANGES = [
  { first: 0, at: 0 },
  { first: 0xc000_0000, at: 0x800 },
  { first: 0xc001_0000, at: 0x1000 },
] as const;
const RANGE_MSRS = 0x2000;

/** Whether an access is intercepted. An MSR outside the ranges always is. */
export function isMsrIntercepted(cpu: Cpu, address: number, write: boolean): boolean {
  const range = RANGES.find(({ first }) => address >= first && address < first + RANGE_MSRS);
  if (range === undefined) return true;
  const bit = (address - range.first) * 2 + (write ? 1 : 0);
  const byte = Number(cpu.memory.read(base(cpu, 'MSRPM_BASE_PA') + range.at + (bit >> 3), 1));
  return ((byte >> (bit & 7)) & 1) !== 0;
}
