// What the EPT pointer must be (SDM, "VM-Execution Control Fields").
import { Secondary } from '../../controls.js';
import { fieldNamed } from '../../fields.js';
import type { EntryProcessor } from '../entry-processor.js';
import { fitsWidth } from './address.js';
import type { EntryCheckRow } from './entry-check.js';

/** Bits of IA32_VMX_EPT_VPID_CAP. */
const CAPABILITY = {
  length4: 6,
  length5: 7,
  uncacheable: 8,
  writeBack: 14,
  accessedDirty: 21,
  shadowStack: 23,
} as const;

const can = (processor: EntryProcessor, bit: number): boolean =>
  ((processor.capability('IA32_VMX_EPT_VPID_CAP').low >>> bit) & 1) === 1;

/** One requirement of a pointer in halves. */
type Requirement = (processor: EntryProcessor, low: number, high: number) => boolean;

const hasMemoryType: Requirement = (processor, low) => {
  const type = low & 7;
  return (type === 0 && can(processor, CAPABILITY.uncacheable)) || (type === 6 && can(processor, CAPABILITY.writeBack));
};

/** Bits 5:3 are the length of the page walk, less one. */
const hasWalkLength: Requirement = (processor, low) => {
  const length = ((low >>> 3) & 7) + 1;
  return (length === 4 && can(processor, CAPABILITY.length4)) || (length === 5 && can(processor, CAPABILITY.length5));
};

const mayHaveAccessedDirty: Requirement = (processor, low) =>
  (low & 0x40) === 0 || can(processor, CAPABILITY.accessedDirty);

const mayHaveShadowStack: Requirement = (processor, low) =>
  (low & 0x80) === 0 || can(processor, CAPABILITY.shadowStack);

const hasNoReservedBits: Requirement = (processor, low, high) =>
  (low & 0xf00) === 0 && fitsWidth(high, processor.physicalAddressWidth);

const EPTP = fieldNamed('EPT pointer (EPTP)');

const row = (check: string, requirement: Requirement, explain: string, note?: string): EntryCheckRow => ({
  id: `vmx.entry.ctl.exec.eptp.${check}`,
  reads: [Secondary['enable EPT'], 'EPT pointer (EPTP)'],
  appliesWhen: (state) => state.control(Secondary['enable EPT']),
  holds: (state) => requirement(state.processor, state.word(EPTP), state.high(EPTP)),
  explain,
  ...(note === undefined ? {} : { note }),
});

export const eptPointerChecks: readonly EntryCheckRow[] = [
  row(
    'memtype',
    hasMemoryType,
    'Bits 2:0 of the EPT pointer must be a memory type that IA32_VMX_EPT_VPID_CAP allows: 0 uncacheable, 6 write-back.',
  ),
  row(
    'walk',
    hasWalkLength,
    'Bits 5:3 of the EPT pointer must be 3 or 4, one less than a page-walk length of IA32_VMX_EPT_VPID_CAP.',
    'Bochs has walks of length 4 only.',
  ),
  row(
    'ad',
    mayHaveAccessedDirty,
    'Bit 6 of the EPT pointer must be 0 on a processor without accessed and dirty flags.',
  ),
  row(
    'sss',
    mayHaveShadowStack,
    'Bit 7 of the EPT pointer must be 0 on a processor without supervisor shadow-stack control in EPT.',
    'Bochs allows it wherever CET is; KVM and kvm-unit-tests know no processor that has it.',
  ),
  row('reserved', hasNoReservedBits, 'Bits 11:8 of the EPT pointer and those beyond the address width must be 0.'),
];
