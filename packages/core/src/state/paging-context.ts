// What address translation depends on, read from a processor's registers when one of them changes.
import type { PagingMode } from '../memory/paging.js';
import type { TlbContext } from '../memory/tlb.js';
import type { Cpu } from './cpu.js';

/** The translation context of a processor as its registers stand. */
export function pagingContextOf(cpu: Cpu): TlbContext {
  const longMode = cpu.EFER.LMA;
  return {
    mode: pagingModeOf(cpu),
    root: Number(cpu.CR3),
    user: cpu.CPL === 3,
    writeProtect: cpu.CR0.WP,
    executeDisable: cpu.EFER.NXE,
    smep: cpu.CR4.SMEP,
    smap: cpu.CR4.SMAP && !cpu.RFLAGS.AC,
    largePages: cpu.CR4.PSE,
    physicalBits: cpu.profile.physicalAddressWidth,
    protectedMode: cpu.CR0.PE && cpu.mode !== 'virtual-8086',
    linearBits: longMode && cpu.mode === '64-bit' ? (cpu.CR4.LA57 ? 57 : 48) : 32,
  };
}

function pagingModeOf(cpu: Cpu): PagingMode {
  if (!cpu.CR0.PG) return 'none';
  if (!cpu.CR4.PAE) return '32-bit';
  if (!cpu.EFER.LMA) return 'PAE';
  return cpu.CR4.LA57 ? '5-level' : '4-level';
}
