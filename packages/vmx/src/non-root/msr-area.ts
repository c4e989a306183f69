// SDM, "Loading MSRs" and "Saving MSRs": lists of 16-byte entries in memory: 31:0 the MSR, 63:32 reserved, 127:64 its value.
import { type Cpu, loadMsr, storedMsr } from '@retrovisor/core';
import type { VmcsField } from '../field-encoding.js';
import type { Vmcs } from '../vmcs.js';

const ENTRY_BYTES = 16;
/** IA32_FS_BASE and IA32_GS_BASE have fields of their own, IA32_BIOS_UPDT_TRIG loads microcode, IA32_SMM_MONITOR_CTL is of SMM. */
const REFUSED: ReadonlySet<number> = new Set([0xc000_0100, 0xc000_0101, 0x79, 0x9b]);
/** MSRs 800H to 8FFH: registers of the local APIC in x2APIC mode. */
const X2APIC = 8;
const EXTD = 0x400n;
/** IA32_SMBASE may be read in SMM alone. */
const NOT_STORED: ReadonlySet<number> = new Set([0x9e]);

/** Which list. */
export interface MsrArea {
  readonly count: VmcsField;
  readonly address: VmcsField;
}

const isX2Apic = (cpu: Cpu, msr: number): boolean => msr >>> 8 === X2APIC && (cpu.read('IA32_APIC_BASE') & EXTD) !== 0n;

/** Loads the MSRs of a list in order. The number of the first entry that cannot be loaded, from 1 on; 0 if all were. */
export function loadMsrArea(cpu: Cpu, vmcs: Vmcs, { count, address }: MsrArea): number {
  const [entries, start] = [vmcs.word(count) >>> 0, Number(vmcs.value(address))];
  for (let index = 0; index < entries; index++) {
    const at = start + index * ENTRY_BYTES;
    const msr = cpu.memory.word(at) >>> 0;
    const isRefused = cpu.memory.word(at + 4) !== 0 || REFUSED.has(msr) || isX2Apic(cpu, msr);
    if (isRefused || !loadMsr(cpu, msr, cpu.memory.read(at + 8, 8))) return index + 1;
  }
  return 0;
}

/** Saves the MSRs that a list names. Whether all could be. */
export function storeMsrArea(cpu: Cpu, vmcs: Vmcs, { count, address }: MsrArea): boolean {
  const [entries, start] = [vmcs.word(count) >>> 0, Number(vmcs.value(address))];
  for (let index = 0; index < entries; index++) {
    const at = start + index * ENTRY_BYTES;
    const msr = cpu.memory.word(at) >>> 0;
    const isRefused = cpu.memory.word(at + 4) !== 0 || isX2Apic(cpu, msr) || NOT_STORED.has(msr);
    const value = isRefused ? undefined : storedMsr(cpu, msr);
    if (value === undefined) return false;
    cpu.memory.write(at + 8, 8, value);
  }
  return true;
}
