// What an entry of the VM-entry MSR-load area must be (SDM, "Loading MSRs"), in the manual's order. An entry that is not
// fails the VM entry with basic exit reason 34 and its number, from 1, as exit qualification. The VM-exit MSR-load area
// has the same rules, with a VMX abort instead.
import { defineRules, sdm } from '@retrovisor/core';

/** One entry of the area. */
export interface MsrAreaEntry {
  /** Bits 31:0, the index of the MSR. */
  readonly index: number;
  /** Bits 63:32. */
  readonly reserved: number;
  readonly inSmm: boolean;
  /** Whether WRMSR of the value with CPL 0 would raise an exception. */
  readonly writeFaults: () => boolean;
}

/** Addresses of MSRs that an entry may not name. */
const IA32_FS_BASE = 0xc000_0100;
const IA32_GS_BASE = 0xc000_0101;
const IA32_BIOS_UPDT_TRIG = 0x79;
const IA32_SMM_MONITOR_CTL = 0x9b;
const IA32_SMBASE = 0x9e;
/** Bits 31:8 of the indices of x2APIC registers. */
const X2APIC = 8;

/** The checks of one entry, made in turn for each. */
export const MSR_LOAD_CHECKS = defineRules<MsrAreaEntry, { readonly kind: 'entry failure'; readonly reason: 34 }>(
  sdm('Loading MSRs'),
  { kind: 'entry failure', reason: 34 },
  [
    {
      id: 'vmx.entry.msr.bits-hi',
      holds: ({ reserved }) => reserved === 0,
      explain: 'Bits 63:32 of an entry are reserved: they must be 0.',
    },
    {
      id: 'vmx.entry.msr.fs-gs-base',
      holds: ({ index }) => index !== IA32_FS_BASE && index !== IA32_GS_BASE,
      explain: 'IA32_FS_BASE and IA32_GS_BASE are loaded from fields of their own: remove them from the area.',
    },
    {
      id: 'vmx.entry.msr.x2apic',
      holds: ({ index }) => index >>> 8 !== X2APIC,
      explain: 'MSRs 800H to 8FFH, registers of the local APIC, cannot be loaded: remove them from the area.',
      note: 'KVM refuses them in x2APIC mode only; the manual has no such condition.',
    },
    {
      id: 'vmx.entry.msr.smm',
      holds: ({ index, inSmm }) => inSmm || index !== IA32_SMM_MONITOR_CTL,
      explain: 'IA32_SMM_MONITOR_CTL is written in SMM only: remove it from the area.',
    },
    {
      id: 'vmx.entry.msr.smbase',
      holds: ({ index }) => index !== IA32_SMBASE && index !== IA32_BIOS_UPDT_TRIG,
      explain: 'IA32_SMBASE and IA32_BIOS_UPDT_TRIG cannot be loaded: remove them from the area.',
      note: 'The manual leaves it to the processor which MSRs these are; KVM refuses IA32_BIOS_UPDT_TRIG, Bochs none.',
    },
    {
      id: 'vmx.entry.msr.wrmsr-fault',
      holds: ({ writeFaults }) => !writeFaults(),
      explain: 'WRMSR of the value with CPL 0 must not fault: the MSR must exist, with no reserved bit set.',
    },
  ],
);
