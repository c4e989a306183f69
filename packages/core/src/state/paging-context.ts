// What address translation depends on, read from a processor's registers when one of them changes.
import type { GuestContext, PagingMode } from '../memory/paging.js';
import { pdptesOf } from '../memory/pdpte-registers.js';
import type { TlbContext } from '../memory/tlb-context.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from './cpu.js';

const CR3_WORD = slotOf('CR3') * 2;
const PKRU_WORD = slotOf('PKRU') * 2;
const PKRS_WORD = slotOf('IA32_PKRS') * 2;
const A20M_WORD = slotOf('A20M') * 2;
const NO_PDPTES: readonly bigint[] = [];

/** The translation context of a processor as its registers stand. */
export function pagingContextOf(cpu: Cpu): TlbContext {
  const longMode = cpu.EFER.LMA;
  const mode = pagingModeOf(cpu);
  const processorMode = cpu.mode;
  return {
    mode,
    root: ((cpu.words[CR3_WORD + 1] ?? 0) >>> 0) * 2 ** 32 + ((cpu.words[CR3_WORD] ?? 0) >>> 0),
    pdptes: mode === 'PAE' ? pdptesOf(cpu) : NO_PDPTES,
    user: cpu.CPL === 3,
    writeProtect: cpu.CR0.WP,
    executeDisable: cpu.EFER.NXE,
    smep: cpu.CR4.SMEP,
    smap: cpu.CR4.SMAP && !cpu.RFLAGS.AC,
    userKeys: longMode && cpu.CR4.PKE ? (cpu.words[PKRU_WORD] ?? 0) : 0,
    supervisorKeys: longMode && cpu.CR4.PKS ? (cpu.words[PKRS_WORD] ?? 0) : 0,
    alignmentCheck: cpu.CR0.AM && cpu.RFLAGS.AC,
    largePages: cpu.CR4.PSE,
    physicalBits: cpu.profile.physicalAddressWidth,
    upperGlobalReserved: cpu.profile.vendor === 'AMD',
    a20Masked: (cpu.words[A20M_WORD] ?? 0) !== 0,
    guest: guestContextOf(cpu),
    protectedMode: processorMode !== 'real' && processorMode !== 'virtual-8086',
    linearBits: processorMode === '64-bit' ? (cpu.CR4.LA57 ? 57 : 48) : 32,
  };
}

/** One object as long as the guest is: translations made under another one count no more. */
function guestContextOf(cpu: Cpu): GuestContext | undefined {
  const secondLevel = cpu.draft.guest?.secondLevel;
  if (secondLevel === undefined) return undefined;
  const known = contexts.get(cpu);
  if (known?.secondLevel === secondLevel) return known;
  const context = { cpu, secondLevel };
  contexts.set(cpu, context);
  return context;
}

const contexts = new WeakMap<Cpu, GuestContext>();

function pagingModeOf(cpu: Cpu): PagingMode {
  if (!cpu.CR0.PG) return 'none';
  if (!cpu.CR4.PAE) return '32-bit';
  if (!cpu.EFER.LMA) return 'PAE';
  return cpu.CR4.LA57 ? '5-level' : '4-level';
}
