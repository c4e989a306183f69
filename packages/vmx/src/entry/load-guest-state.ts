// SDM, "Loading Guest State": from the guest-state area to the registers. The checks have passed.
import { type Cpu, CR0, CR4, EFER, pdptesInMemory, setPdptes } from '@retrovisor/core';
import { Entry, PinBased, Secondary } from '../controls.js';
import { fieldNamed } from '../fields.js';
import { isOn, setGuestValue } from '../non-root/controls-in-use.js';
import { GUEST_STATE, INTERRUPTIBILITY, PDPTE_STATE, PENDING_DEBUG } from '../non-root/guest-registers.js';
import type { Vmcs } from '../vmcs.js';

/** Bits of CR0 that entries and exits leave as they are: ET, CD, NW, and 63:32, 28:19, 17, 15:6. */
export const CR0_KEPT = 0xffff_ffff_7ffa_ffd0n;
const PG = 1n << BigInt(CR0.bits.PG);
const PAE = 1n << BigInt(CR4.bits.PAE);
const LMA = 1n << BigInt(EFER.bits.LMA);
const LME = 1n << BigInt(EFER.bits.LME);
/** Bits 12, 14 and 15 of DR7 are cleared, bit 10 is set. */
const DR7_CLEARED = 0xd000n;
const DR7_SET = 0x400n;

const CR0_FIELD = fieldNamed('Guest CR0');
const RFLAGS_FIELD = fieldNamed('Guest RFLAGS');
const DR7_FIELD = fieldNamed('Guest DR7');
const DEBUGCTL_FIELD = fieldNamed('Guest IA32_DEBUGCTL');
const EFER_FIELD = fieldNamed('Guest IA32_EFER');
const INTERRUPTIBILITY_FIELD = fieldNamed('Guest interruptibility state');
const PENDING_DEBUG_FIELD = fieldNamed('Guest pending debug exceptions');

/** MSRs that a control lets an entry load. */
const MSRS = [
  [Entry['load IA32_PAT'], 'IA32_PAT', fieldNamed('Guest IA32_PAT')],
  [Entry['load PKRS'], 'IA32_PKRS', fieldNamed('Guest IA32_PKRS')],
] as const;

/** The processor is in guest mode already, so that controls are those of the guest. */
export function loadGuestState(cpu: Cpu, vmcs: Vmcs): void {
  cpu.CR0.value = (vmcs.value(CR0_FIELD) & ~CR0_KEPT) | (cpu.CR0.value & CR0_KEPT);
  for (const { slot, field } of GUEST_STATE) cpu.writeWords(slot, vmcs.word(field), vmcs.high(field));
  cpu.RFLAGS.value = vmcs.value(RFLAGS_FIELD);
  loadEfer(cpu, vmcs);
  if (isOn(cpu, Entry['load debug controls'])) {
    cpu.set('DR7', (vmcs.value(DR7_FIELD) & ~DR7_CLEARED) | DR7_SET);
    cpu.set('IA32_DEBUGCTL', vmcs.value(DEBUGCTL_FIELD));
  }
  for (const [control, msr, field] of MSRS) if (isOn(cpu, control)) cpu.set(msr, vmcs.value(field));
  loadPdptes(cpu, vmcs);
  loadNonRegisterState(cpu, vmcs);
}

/** Without "load IA32_EFER", LMA and LME follow from the control "IA-32e mode guest". */
function loadEfer(cpu: Cpu, vmcs: Vmcs): void {
  if (isOn(cpu, Entry['load IA32_EFER'])) {
    cpu.EFER.value = vmcs.value(EFER_FIELD);
    return;
  }
  const is64 = isOn(cpu, Entry['IA-32e mode guest']);
  const pages = (cpu.CR0.value & PG) !== 0n;
  const before = cpu.EFER.value & ~LMA;
  cpu.EFER.value = (pages ? before & ~LME : before) | (is64 ? LMA | LME : 0n);
}

/** PAE paging: from the fields with EPT, else from the table that CR3 points to. */
function loadPdptes(cpu: Cpu, vmcs: Vmcs): void {
  if ((cpu.CR0.value & PG) === 0n || (cpu.CR4.value & PAE) === 0n || cpu.EFER.LMA) return;
  if (!isOn(cpu, Secondary['enable EPT'])) setPdptes(cpu, pdptesInMemory(cpu, cpu.CR3));
  else for (const { slot, field } of PDPTE_STATE) cpu.writeWords(slot, vmcs.word(field), vmcs.high(field));
}

/** SDM, "Guest Non-Register State": what is blocked, and debug exceptions that wait. */
function loadNonRegisterState(cpu: Cpu, vmcs: Vmcs): void {
  const state = vmcs.word(INTERRUPTIBILITY_FIELD);
  const { sti, movSs, nmi } = INTERRUPTIBILITY;
  cpu.interruptShadow = (state & movSs) !== 0 ? 'movSs' : (state & sti) !== 0 ? 'sti' : 'none';
  const isVirtual = isOn(cpu, PinBased['virtual NMIs']);
  const blocked = (state & nmi) !== 0;
  cpu.set('nmiBlocked', blocked && !isVirtual ? 1n : 0n);
  setGuestValue(cpu, 'virtualNmiBlocking', blocked && isVirtual ? 1 : 0);
  const debug = vmcs.word(PENDING_DEBUG_FIELD);
  const breakpoints = (debug & PENDING_DEBUG.enabled) !== 0 ? debug & PENDING_DEBUG.breakpoints : 0;
  cpu.set('pendingDebug', BigInt(breakpoints | (debug & PENDING_DEBUG.BS)));
}
