// SDM, "Saving Guest State": from the registers to the guest-state area.
import { type Cpu, CR0, CR4 } from '@retrovisor/core';
import { Entry, Exit, PinBased, Secondary } from '../controls.js';
import { fieldNamed } from '../fields.js';
import { guestWord, isOn } from '../non-root/controls-in-use.js';
import { GUEST_STATE, INTERRUPTIBILITY, PDPTE_STATE, PENDING_DEBUG } from '../non-root/guest-registers.js';
import { remainingPreemptionTime } from '../non-root/preemption-timer.js';
import type { Vmcs } from '../vmcs.js';

const PG = 1n << BigInt(CR0.bits.PG);
const PAE = 1n << BigInt(CR4.bits.PAE);
/** The bits of pending debug exceptions that core keeps as DR6 has them. */
const WAITING = PENDING_DEBUG.breakpoints | PENDING_DEBUG.BS;

/** MSRs that a control lets an exit save. */
const MSRS = [
  [Exit['save IA32_PAT'], 'IA32_PAT', fieldNamed('Guest IA32_PAT')],
  [Exit['save IA32_EFER'], 'IA32_EFER', fieldNamed('Guest IA32_EFER')],
  [Entry['load PKRS'], 'IA32_PKRS', fieldNamed('Guest IA32_PKRS')],
  [Exit['save debug controls'], 'DR7', fieldNamed('Guest DR7')],
  [Exit['save debug controls'], 'IA32_DEBUGCTL', fieldNamed('Guest IA32_DEBUGCTL')],
] as const;

const CR0_FIELD = fieldNamed('Guest CR0');
const RFLAGS_FIELD = fieldNamed('Guest RFLAGS');
const INTERRUPTIBILITY_FIELD = fieldNamed('Guest interruptibility state');
const PENDING_DEBUG_FIELD = fieldNamed('Guest pending debug exceptions');
const ENTRY_CONTROLS = fieldNamed('VM-entry controls');
const PREEMPTION_TIMER = fieldNamed('VMX-preemption timer value');
const INTERRUPT_STATUS = fieldNamed('Guest interrupt status');
const IA32E_GUEST = 1 << Entry['IA-32e mode guest'].bit;

export function saveGuestState(cpu: Cpu, vmcs: Vmcs): void {
  vmcs.setValue(CR0_FIELD, cpu.CR0.value);
  for (const { slot, field } of GUEST_STATE)
    vmcs.set(field, cpu.words[slot * 2] as number, cpu.words[slot * 2 + 1] as number);
  vmcs.setValue(RFLAGS_FIELD, cpu.RFLAGS.value);
  for (const [control, register, field] of MSRS) if (isOn(cpu, control)) vmcs.setValue(field, cpu.read(register));
  savePdptes(cpu, vmcs);
  saveNonRegisterState(cpu, vmcs);
  if (isOn(cpu, Secondary['unrestricted guest'])) {
    const controls = vmcs.word(ENTRY_CONTROLS);
    vmcs.set(ENTRY_CONTROLS, cpu.EFER.LMA ? controls | IA32E_GUEST : controls & ~IA32E_GUEST);
  }
  if (isOn(cpu, Exit['save VMX-preemption timer value'])) vmcs.set(PREEMPTION_TIMER, remainingPreemptionTime(cpu));
  if (isOn(cpu, Secondary['virtual-interrupt delivery']))
    vmcs.set(INTERRUPT_STATUS, guestWord(cpu, 'guestInterruptStatus'));
}

/** With EPT, whether or not the guest uses PAE paging; what it does not use is undefined. */
function savePdptes(cpu: Cpu, vmcs: Vmcs): void {
  if (!isOn(cpu, Secondary['enable EPT'])) return;
  if ((cpu.CR0.value & PG) === 0n || (cpu.CR4.value & PAE) === 0n || cpu.EFER.LMA) return;
  for (const { slot, field } of PDPTE_STATE)
    vmcs.set(field, cpu.words[slot * 2] as number, cpu.words[slot * 2 + 1] as number);
}

function saveNonRegisterState(cpu: Cpu, vmcs: Vmcs): void {
  const { sti, movSs, nmi } = INTERRUPTIBILITY;
  const shadow = { none: 0, sti, movSs }[cpu.interruptShadow];
  const isVirtual = isOn(cpu, PinBased['virtual NMIs']);
  const blocked = isVirtual ? guestWord(cpu, 'virtualNmiBlocking') !== 0 : cpu.read('nmiBlocked') !== 0n;
  vmcs.set(INTERRUPTIBILITY_FIELD, shadow | (blocked ? nmi : 0));
  const waiting = Number(cpu.read('pendingDebug')) & WAITING;
  const enabled = (waiting & PENDING_DEBUG.breakpoints) !== 0 ? PENDING_DEBUG.enabled : 0;
  vmcs.set(PENDING_DEBUG_FIELD, waiting | enabled);
}
