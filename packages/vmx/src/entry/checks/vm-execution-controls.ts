// Checks on the VM-execution control fields (SDM, "VM-Execution Control Fields"), in the manual's order. What the EPT
// pointer must be is in ept-pointer.ts.
import { sdm } from '@retrovisor/core';
import { type Control, Entry, Exit, PinBased, Primary, Secondary, Tertiary, VmFunction } from '../../controls.js';
import { type FieldName, fieldNamed } from '../../fields.js';
import { cr3TargetValues } from '../entry-processor.js';
import { type EntryState, wholeField } from '../entry-state.js';
import { endsWithinWidth, fitsWidth, hasStructureAddress } from './address.js';
import { reservedControls } from './allowed-settings.js';
import { defineEntryChecks, type EntryCheckRow, INVALID_CONTROL } from './entry-check.js';
import { eptPointerChecks } from './ept-pointer.js';

const PAGE = 4096;
/** Offset of VTPR in the virtual-APIC page; bits 7:4 of it are the priority class. */
const VTPR = 0x80n;

const CR3_TARGET_COUNT = fieldNamed('CR3-target count');
const IO_BITMAPS = [fieldNamed('Address of I/O bitmap A'), fieldNamed('Address of I/O bitmap B')] as const;
const VIRTUAL_APIC = fieldNamed('Virtual-APIC address');
const TPR_THRESHOLD = fieldNamed('TPR threshold');
const NOTIFICATION_VECTOR = fieldNamed('Posted-interrupt notification vector');
const DESCRIPTOR = fieldNamed('Posted-interrupt descriptor address');
const VPID = fieldNamed('Virtual-processor identifier (VPID)');
const VM_FUNCTIONS = fieldNamed('VM-function controls');
const TSC_MULTIPLIER = fieldNamed('TSC multiplier');
const PASID_DIRECTORIES = [
  fieldNamed('Low PASID directory address'),
  fieldNamed('High PASID directory address'),
] as const;
const HLATP = fieldNamed('Hypervisor-managed linear-address translation pointer (HLATP)');
const PID_TABLE = fieldNamed('PID-pointer table address');
const LAST_PID_INDEX = fieldNamed('Last PID-pointer index');
const TIMER_VECTOR = fieldNamed('Virtual timer vector');

const is = (control: Control) => (state: EntryState) => state.control(control);
const id = (check: string) => `vmx.entry.ctl.exec.${check}` as const;

/** A 4-KByte page that exists with a control. */
const page = (check: string, field: FieldName, control: Control, what: string): EntryCheckRow => {
  const address = fieldNamed(field);
  return {
    id: id(check),
    reads: [control, field],
    appliesWhen: is(control),
    holds: (state) => hasStructureAddress(state, address, PAGE),
    explain: `With "${control.name}", ${what} must be 4-KByte aligned and within the physical-address width.`,
  };
};

/** A control that needs EPT. */
const needsEpt = (check: string, control: Control, note?: string): EntryCheckRow => ({
  id: id(check),
  reads: [control, Secondary['enable EPT']],
  appliesWhen: is(control),
  holds: is(Secondary['enable EPT']),
  explain: `"${control.name}" needs "enable EPT": set that too or clear this.`,
  ...(note === undefined ? {} : { note }),
});

const usesTprThreshold = (state: EntryState) =>
  state.control(Primary['use TPR shadow']) && !state.control(Secondary['virtual-interrupt delivery']);

const NO_SOURCE =
  'Newer than the sources at hand, which leave the condition to general knowledge: KVM and Bochs have none.';

const interruptChecks: readonly EntryCheckRow[] = [
  page('virtual-apic-addr', 'Virtual-APIC address', Primary['use TPR shadow'], 'the virtual-APIC address'),
  {
    id: id('tpr-threshold-hi'),
    reads: [Primary['use TPR shadow'], Secondary['virtual-interrupt delivery'], 'TPR threshold'],
    appliesWhen: usesTprThreshold,
    holds: (state) => state.word(TPR_THRESHOLD) >>> 4 === 0,
    explain: 'Without virtual-interrupt delivery the TPR threshold is a priority class: bits 31:4 must be 0.',
  },
  {
    id: id('tpr-threshold-vtpr'),
    reads: [
      Primary['use TPR shadow'],
      Secondary['virtual-interrupt delivery'],
      Secondary['virtualize APIC accesses'],
      'Virtual-APIC address',
      'TPR threshold',
    ],
    places: (state) => [`[0x${(wholeField(state, VIRTUAL_APIC) + VTPR).toString(16)}+4]`],
    appliesWhen: (state) =>
      usesTprThreshold(state) &&
      !state.control(Secondary['virtualize APIC accesses']) &&
      hasStructureAddress(state, VIRTUAL_APIC, PAGE),
    holds: (state) => {
      const vtpr = Number(state.memory(wholeField(state, VIRTUAL_APIC) + VTPR, 4));
      return (state.word(TPR_THRESHOLD) & 0xf) <= ((vtpr >>> 4) & 0xf);
    },
    explain: 'Bits 3:0 of the TPR threshold must not exceed bits 7:4 of VTPR, or the guest would exit before it runs.',
  },
  {
    id: id('tpr-shadow-needed'),
    reads: [
      Primary['use TPR shadow'],
      Secondary['virtualize x2APIC mode'],
      Secondary['APIC-register virtualization'],
      Secondary['virtual-interrupt delivery'],
      Tertiary['IPI virtualization'],
    ],
    appliesWhen: (state) => !state.control(Primary['use TPR shadow']),
    holds: (state) =>
      !state.control(Secondary['virtualize x2APIC mode']) &&
      !state.control(Secondary['APIC-register virtualization']) &&
      !state.control(Secondary['virtual-interrupt delivery']) &&
      !state.control(Tertiary['IPI virtualization']),
    explain: 'Controls that virtualize the APIC need "use TPR shadow": set it, or clear all of them.',
    note: 'Bochs has no IPI virtualization.',
  },
  {
    id: id('virtual-nmi-needs-nmi'),
    reads: [PinBased['NMI exiting'], PinBased['virtual NMIs']],
    appliesWhen: (state) => !state.control(PinBased['NMI exiting']),
    holds: (state) => !state.control(PinBased['virtual NMIs']),
    explain:
      'Virtual-NMI blocking is defined only while NMIs cause VM exits: set "NMI exiting" or clear "virtual NMIs".',
  },
  {
    id: id('nmi-window-needs-vnmi'),
    reads: [PinBased['virtual NMIs'], Primary['NMI-window exiting']],
    appliesWhen: (state) => !state.control(PinBased['virtual NMIs']),
    holds: (state) => !state.control(Primary['NMI-window exiting']),
    explain: 'An NMI window exists only with virtual NMIs: set "virtual NMIs" or clear "NMI-window exiting".',
  },
  page('apic-access-addr', 'APIC-access address', Secondary['virtualize APIC accesses'], 'the APIC-access address'),
  {
    id: id('x2apic-vs-apic-access'),
    reads: [Secondary['virtualize x2APIC mode'], Secondary['virtualize APIC accesses']],
    appliesWhen: is(Secondary['virtualize x2APIC mode']),
    holds: (state) => !state.control(Secondary['virtualize APIC accesses']),
    explain: 'The guest has one APIC: clear "virtualize x2APIC mode" or "virtualize APIC accesses".',
  },
  {
    id: id('vid-needs-extint'),
    reads: [Secondary['virtual-interrupt delivery'], PinBased['external-interrupt exiting']],
    appliesWhen: is(Secondary['virtual-interrupt delivery']),
    holds: is(PinBased['external-interrupt exiting']),
    explain: '"virtual-interrupt delivery" needs "external-interrupt exiting": set that too or clear this.',
  },
];

const POSTED = PinBased['process posted interrupts'];

const postedInterruptChecks: readonly EntryCheckRow[] = [
  {
    id: id('posted.vid'),
    reads: [POSTED, Secondary['virtual-interrupt delivery']],
    appliesWhen: is(POSTED),
    holds: is(Secondary['virtual-interrupt delivery']),
    explain: '"process posted interrupts" needs "virtual-interrupt delivery": set that too or clear this.',
  },
  {
    id: id('posted.ack'),
    reads: [POSTED, Exit['acknowledge interrupt on exit']],
    appliesWhen: is(POSTED),
    holds: is(Exit['acknowledge interrupt on exit']),
    explain: '"process posted interrupts" needs the VM-exit control "acknowledge interrupt on exit".',
  },
  {
    id: id('posted.vector'),
    reads: [POSTED, 'Posted-interrupt notification vector'],
    appliesWhen: is(POSTED),
    holds: (state) => state.word(NOTIFICATION_VECTOR) <= 0xff,
    explain: 'The posted-interrupt notification vector is a vector, 0 to 255: bits 15:8 must be 0.',
  },
  {
    id: id('posted.desc-align'),
    reads: [POSTED, 'Posted-interrupt descriptor address'],
    appliesWhen: is(POSTED),
    holds: (state) => (state.word(DESCRIPTOR) & 0x3f) === 0,
    explain: 'The posted-interrupt descriptor must be 64-byte aligned: bits 5:0 of its address must be 0.',
  },
  {
    id: id('posted.desc-width'),
    reads: [POSTED, 'Posted-interrupt descriptor address'],
    appliesWhen: is(POSTED),
    holds: (state) => fitsWidth(state.high(DESCRIPTOR), state.processor.structureAddressWidth),
    explain: 'The address of the posted-interrupt descriptor must be within the physical-address width.',
  },
];

const SPP = Secondary['sub-page write permissions for EPT'];
const EPTP_SWITCHING = VmFunction['EPTP switching'];
const PT_IN_GUEST = Secondary['Intel PT uses guest physical addresses'];

const translationChecks: readonly EntryCheckRow[] = [
  {
    id: id('vpid-nonzero'),
    reads: [Secondary['enable VPID'], 'Virtual-processor identifier (VPID)'],
    appliesWhen: is(Secondary['enable VPID']),
    holds: (state) => state.word(VPID) !== 0,
    explain: 'VPID 0000H is that of VMX root operation: give the virtual processor another one.',
  },
  ...eptPointerChecks,
  needsEpt('pml-needs-ept', Secondary['enable PML']),
  page('pml-addr', 'PML address', Secondary['enable PML'], 'the PML address'),
  needsEpt('unrestricted-needs-ept', Secondary['unrestricted guest']),
  needsEpt('mbec-needs-ept', Secondary['mode-based execute control for EPT']),
  needsEpt('spp-needs-ept', SPP),
  page('sppt-addr', 'Sub-page-permission-table pointer', SPP, 'the sub-page-permission-table pointer'),
  {
    id: id('vmfunc-reserved'),
    reads: [Secondary['enable VM functions'], 'VM-function controls'],
    appliesWhen: is(Secondary['enable VM functions']),
    holds: (state) => {
      const { low, high } = state.processor.capability('IA32_VMX_VMFUNC');
      return (state.word(VM_FUNCTIONS) & ~low) === 0 && (state.high(VM_FUNCTIONS) & ~high) === 0;
    },
    explain: 'The VM-function controls may only have bits that IA32_VMX_VMFUNC has.',
  },
  needsEpt('eptp-switch-needs-ept', EPTP_SWITCHING),
  page('eptp-list-addr', 'EPTP-list address', EPTP_SWITCHING, 'the EPTP-list address'),
  page('vmread-bitmap', 'VMREAD-bitmap address', Secondary['VMCS shadowing'], 'the VMREAD-bitmap address'),
  page('vmwrite-bitmap', 'VMWRITE-bitmap address', Secondary['VMCS shadowing'], 'the VMWRITE-bitmap address'),
  page(
    've-info',
    'Virtualization-exception information address',
    Secondary['EPT-violation #VE'],
    'the virtualization-exception information address',
  ),
];

/** Newer controls. */
const newerChecks: readonly EntryCheckRow[] = [
  {
    id: id('ptgpa-needs-ept'),
    reads: [PT_IN_GUEST, Secondary['enable EPT'], Entry['load IA32_RTIT_CTL'], Exit['clear IA32_RTIT_CTL']],
    appliesWhen: is(PT_IN_GUEST),
    holds: (state) =>
      state.control(Secondary['enable EPT']) &&
      state.control(Entry['load IA32_RTIT_CTL']) &&
      state.control(Exit['clear IA32_RTIT_CTL']),
    explain:
      '"Intel PT uses guest physical addresses" needs "enable EPT", "load IA32_RTIT_CTL" and "clear IA32_RTIT_CTL".',
    note: NO_SOURCE,
  },
  {
    id: id('tsc-multiplier'),
    reads: [Secondary['use TSC scaling'], 'TSC multiplier'],
    appliesWhen: is(Secondary['use TSC scaling']),
    holds: (state) => state.word(TSC_MULTIPLIER) !== 0 || state.high(TSC_MULTIPLIER) !== 0,
    explain: 'With "use TSC scaling" the TSC multiplier must not be 0; 1.0 is 1000000000000H.',
    note: 'The multiplier is a fixed-point number with 48 bits after the point.',
  },
  {
    id: id('pasid-dirs'),
    reads: [Secondary['PASID translation'], 'Low PASID directory address', 'High PASID directory address'],
    appliesWhen: is(Secondary['PASID translation']),
    holds: (state) => PASID_DIRECTORIES.every((field) => hasStructureAddress(state, field, PAGE)),
    explain: 'With "PASID translation" both PASID directories must be 4-KByte aligned and within the address width.',
    note: NO_SOURCE,
  },
  {
    id: id('hlat'),
    reads: [
      Tertiary['enable HLAT'],
      Secondary['enable EPT'],
      'Hypervisor-managed linear-address translation pointer (HLATP)',
    ],
    appliesWhen: is(Tertiary['enable HLAT']),
    holds: (state) =>
      state.control(Secondary['enable EPT']) &&
      (state.word(HLATP) & 0xfe7) === 0 &&
      fitsWidth(state.high(HLATP), state.processor.physicalAddressWidth),
    explain: '"enable HLAT" needs "enable EPT", and bits 2:0, 11:5 and those beyond the width of HLATP must be 0.',
    note: NO_SOURCE,
  },
  {
    id: id('pwc-gpv-need-ept'),
    reads: [Tertiary['EPT paging-write control'], Tertiary['guest-paging verification'], Secondary['enable EPT']],
    appliesWhen: (state) =>
      state.control(Tertiary['EPT paging-write control']) || state.control(Tertiary['guest-paging verification']),
    holds: is(Secondary['enable EPT']),
    explain: '"EPT paging-write control" and "guest-paging verification" need "enable EPT".',
    note: NO_SOURCE,
  },
  {
    id: id('pid-table'),
    reads: [Tertiary['IPI virtualization'], 'PID-pointer table address', 'Last PID-pointer index'],
    appliesWhen: is(Tertiary['IPI virtualization']),
    holds: (state) =>
      (state.word(PID_TABLE) & 7) === 0 &&
      fitsWidth(state.high(PID_TABLE), state.processor.structureAddressWidth) &&
      endsWithinWidth(state, PID_TABLE, (state.word(LAST_PID_INDEX) + 1) * 8),
    explain: 'The PID-pointer table must be 8-byte aligned, and its last entry within the physical-address width.',
    note: NO_SOURCE,
  },
  {
    id: id('apic-timer-vector'),
    reads: [Tertiary['APIC-timer virtualization'], Secondary['virtual-interrupt delivery'], 'Virtual timer vector'],
    appliesWhen: is(Tertiary['APIC-timer virtualization']),
    holds: (state) =>
      state.control(Secondary['virtual-interrupt delivery']) &&
      state.word(TIMER_VECTOR) >= 16 &&
      state.word(TIMER_VECTOR) <= 0xff,
    explain: '"APIC-timer virtualization" needs "virtual-interrupt delivery" and a virtual timer vector of 16 to 255.',
    note: NO_SOURCE,
  },
];

export const vmExecutionControlChecks = defineEntryChecks(sdm('VM-Execution Control Fields'), INVALID_CONTROL, [
  reservedControls(id('pin-reserved'), PinBased['NMI exiting'].group),
  reservedControls(id('proc1-reserved'), Primary['use TPR shadow'].group),
  reservedControls(id('proc2-reserved'), Secondary['enable EPT'].group),
  reservedControls(id('proc3-reserved'), Tertiary['enable HLAT'].group),
  {
    id: id('cr3-target-count'),
    reads: ['CR3-target count'],
    holds: (state) => state.word(CR3_TARGET_COUNT) <= cr3TargetValues(state.processor),
    explain: 'The CR3-target count must not exceed the number of CR3-target values in IA32_VMX_MISC[24:16].',
  },
  {
    id: id('io-bitmaps'),
    reads: [Primary['use I/O bitmaps'], 'Address of I/O bitmap A', 'Address of I/O bitmap B'],
    appliesWhen: is(Primary['use I/O bitmaps']),
    holds: (state) => IO_BITMAPS.every((field) => hasStructureAddress(state, field, PAGE)),
    explain: 'With "use I/O bitmaps" both bitmaps must be 4-KByte aligned and within the physical-address width.',
  },
  page('msr-bitmap', 'Address of MSR bitmaps', Primary['use MSR bitmaps'], 'the address of the MSR bitmaps'),
  ...interruptChecks,
  ...postedInterruptChecks,
  ...translationChecks,
  ...newerChecks,
]);
