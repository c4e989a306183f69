// The rows of what an EPT pointer must be (SDM, "VM-Execution Control Fields"); the conditions are in ept/eptp.ts.
import { Secondary } from '../../controls.js';
import { EPTP_CONDITIONS, type EptpCondition } from '../../ept/eptp.js';
import { fieldNamed } from '../../fields.js';
import { wholeField } from '../entry-state.js';
import type { EntryCheckRow } from './entry-check.js';

const EPTP = fieldNamed('EPT pointer (EPTP)');

const row = (check: string, condition: EptpCondition, explain: string, note?: string): EntryCheckRow => ({
  id: `vmx.entry.ctl.exec.eptp.${check}`,
  reads: [Secondary['enable EPT'], 'EPT pointer (EPTP)'],
  appliesWhen: (state) => state.control(Secondary['enable EPT']),
  holds: (state) => condition(state.processor.profile, wholeField(state, EPTP)),
  explain,
  ...(note === undefined ? {} : { note }),
});

export const eptPointerChecks: readonly EntryCheckRow[] = [
  row(
    'memtype',
    EPTP_CONDITIONS.memoryType,
    'Bits 2:0 of the EPT pointer must be a memory type that IA32_VMX_EPT_VPID_CAP allows: 0 uncacheable, 6 write-back.',
  ),
  row(
    'walk',
    EPTP_CONDITIONS.walkLength,
    'Bits 5:3 of the EPT pointer must be 3 or 4, one less than a page-walk length of IA32_VMX_EPT_VPID_CAP.',
    'Bochs has walks of length 4 only.',
  ),
  row(
    'ad',
    EPTP_CONDITIONS.accessedAndDirty,
    'Bit 6 of the EPT pointer must be 0 on a processor without accessed and dirty flags.',
  ),
  row(
    'sss',
    EPTP_CONDITIONS.shadowStack,
    'Bit 7 of the EPT pointer must be 0 on a processor without supervisor shadow-stack control in EPT.',
    'Bochs allows it wherever CET is; KVM and kvm-unit-tests know no processor that has it.',
  ),
  row(
    'reserved',
    EPTP_CONDITIONS.reserved,
    'Bits 11:8 of the EPT pointer and those beyond the address width must be 0.',
  ),
];
