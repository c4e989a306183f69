// For each check of VM entry, how a state is made that violates it and no other, and the nearest state that satisfies it:
// the edits of `given` are made to both, those of `violate` to the first, those of `satisfy` to the second. The checks of
// segment registers are in segment-violations.ts.
import { Entry, Exit, PinBased, Secondary, SecondaryExit, Tertiary, VmFunction } from '../../src/controls.js';
import type { ProcessorName } from './entry-processors.js';
import {
  type BaseName,
  type Edit,
  ept,
  flip,
  memory,
  off,
  on,
  primary,
  put,
  secondary,
  VMCS_ADDRESS,
} from './entry-states.js';
import { SEGMENT_VIOLATIONS } from './segment-violations.js';

export interface EntryViolation {
  readonly base?: BaseName;
  readonly processor?: ProcessorName;
  readonly given?: readonly Edit[];
  readonly violate: readonly Edit[];
  readonly satisfy?: readonly Edit[];
  /** Checks before it in the group that cannot hold when this one does not. */
  readonly implies?: readonly string[];
  /** The claim never holds: the nearest state is one to which the check does not apply. */
  readonly satisfiedByGuard?: true;
}

const complete = { processor: 'complete' } as const;
const BEYOND = 1n << 46n;
const NOT_CANONICAL = 1n << 60n;
const CR4 = { PCIDE: 1n << 17n, CET: 1n << 23n, FRED: 1n << 32n };
const CR0_WP = 1n << 16n;

const posted: readonly Edit[] = [
  on(
    PinBased['process posted interrupts'],
    PinBased['external-interrupt exiting'],
    Exit['acknowledge interrupt on exit'],
  ),
  primary('use TPR shadow'),
  secondary('virtual-interrupt delivery'),
];

const executionControls: Readonly<Record<string, EntryViolation>> = {
  'pin-reserved': { violate: [flip('Pin-based VM-execution controls', 2n)] },
  'proc1-reserved': { violate: [flip('Primary processor-based VM-execution controls', 1n)] },
  'proc2-reserved': {
    given: [secondary('enable RDTSCP')],
    violate: [flip('Secondary processor-based VM-execution controls', 1n << 29n)],
  },
  'proc3-reserved': {
    given: [on(Tertiary['virtualize IA32_SPEC_CTRL'])],
    violate: [flip('Tertiary processor-based VM-execution controls', 1n << 5n)],
  },
  'cr3-target-count': { given: [put('CR3-target count', 4n)], violate: [put('CR3-target count', 5n)] },
  'io-bitmaps': { given: [primary('use I/O bitmaps')], violate: [put('Address of I/O bitmap B', 0x800n)] },
  'msr-bitmap': { given: [primary('use MSR bitmaps')], violate: [put('Address of MSR bitmaps', BEYOND)] },
  'virtual-apic-addr': { given: [primary('use TPR shadow')], violate: [put('Virtual-APIC address', 1n)] },
  'tpr-threshold-hi': { given: [primary('use TPR shadow')], violate: [put('TPR threshold', 0x10n)] },
  'tpr-threshold-vtpr': {
    given: [primary('use TPR shadow'), put('Virtual-APIC address', 0x7000n), memory(0x7080n, 0x40n)],
    violate: [put('TPR threshold', 5n)],
    satisfy: [put('TPR threshold', 4n)],
  },
  'tpr-shadow-needed': {
    violate: [secondary('virtualize x2APIC mode')],
  },
  'virtual-nmi-needs-nmi': { violate: [on(PinBased['virtual NMIs'])] },
  'nmi-window-needs-vnmi': { violate: [primary('NMI-window exiting')] },
  'apic-access-addr': { given: [secondary('virtualize APIC accesses')], violate: [put('APIC-access address', 0x800n)] },
  'x2apic-vs-apic-access': {
    given: [primary('use TPR shadow'), secondary('virtualize x2APIC mode')],
    violate: [secondary('virtualize APIC accesses')],
  },
  'vid-needs-extint': {
    given: [primary('use TPR shadow'), secondary('virtual-interrupt delivery')],
    violate: [],
    satisfy: [on(PinBased['external-interrupt exiting'])],
  },
  'posted.vid': { given: posted, violate: [off(Secondary['virtual-interrupt delivery'])] },
  'posted.ack': { given: posted, violate: [off(Exit['acknowledge interrupt on exit'])] },
  'posted.vector': {
    given: [...posted, put('Posted-interrupt notification vector', 0xffn)],
    violate: [put('Posted-interrupt notification vector', 0x100n)],
  },
  'posted.desc-align': { given: posted, violate: [put('Posted-interrupt descriptor address', 0x20n)] },
  'posted.desc-width': { given: posted, violate: [put('Posted-interrupt descriptor address', BEYOND)] },
  'vpid-nonzero': {
    given: [secondary('enable VPID')],
    violate: [],
    satisfy: [put('Virtual-processor identifier (VPID)', 1n)],
  },
  'eptp.memtype': { given: [ept], violate: [flip('EPT pointer (EPTP)', 2n)] },
  'eptp.walk': { given: [ept], violate: [flip('EPT pointer (EPTP)', 8n)] },
  'eptp.ad': { processor: 'limited', given: [ept], violate: [flip('EPT pointer (EPTP)', 0x40n)] },
  'eptp.sss': { processor: 'limited', given: [ept], violate: [flip('EPT pointer (EPTP)', 0x80n)] },
  'eptp.reserved': { given: [ept], violate: [flip('EPT pointer (EPTP)', 0x100n)] },
  'pml-needs-ept': { violate: [secondary('enable PML')], satisfy: [secondary('enable PML'), ept] },
  'pml-addr': { given: [ept, secondary('enable PML')], violate: [put('PML address', 8n)] },
  'unrestricted-needs-ept': { given: [secondary('unrestricted guest')], violate: [], satisfy: [ept] },
  'mbec-needs-ept': { given: [secondary('mode-based execute control for EPT')], violate: [], satisfy: [ept] },
  'spp-needs-ept': { given: [secondary('sub-page write permissions for EPT')], violate: [], satisfy: [ept] },
  'sppt-addr': {
    given: [ept, secondary('sub-page write permissions for EPT')],
    violate: [put('Sub-page-permission-table pointer', 0x10n)],
  },
  'vmfunc-reserved': { given: [secondary('enable VM functions')], violate: [put('VM-function controls', 2n)] },
  'eptp-switch-needs-ept': { given: [on(VmFunction['EPTP switching'])], violate: [], satisfy: [ept] },
  'eptp-list-addr': { given: [ept, on(VmFunction['EPTP switching'])], violate: [put('EPTP-list address', 8n)] },
  'vmread-bitmap': { given: [secondary('VMCS shadowing')], violate: [put('VMREAD-bitmap address', 8n)] },
  'vmwrite-bitmap': { given: [secondary('VMCS shadowing')], violate: [put('VMWRITE-bitmap address', BEYOND)] },
  've-info': {
    given: [ept, secondary('EPT-violation #VE')],
    violate: [put('Virtualization-exception information address', 8n)],
  },
  'ptgpa-needs-ept': {
    given: [
      secondary('Intel PT uses guest physical addresses'),
      on(Entry['load IA32_RTIT_CTL'], Exit['clear IA32_RTIT_CTL']),
    ],
    violate: [],
    satisfy: [ept],
  },
  'tsc-multiplier': { given: [secondary('use TSC scaling')], violate: [], satisfy: [put('TSC multiplier', 1n << 48n)] },
  'pasid-dirs': { given: [secondary('PASID translation')], violate: [put('High PASID directory address', 8n)] },
  hlat: {
    given: [ept, on(Tertiary['enable HLAT'])],
    violate: [put('Hypervisor-managed linear-address translation pointer (HLATP)', 0x20n)],
  },
  'pwc-gpv-need-ept': { given: [on(Tertiary['EPT paging-write control'])], violate: [], satisfy: [ept] },
  'pid-table': {
    given: [
      primary('use TPR shadow'),
      on(Tertiary['IPI virtualization']),
      put('PID-pointer table address', BEYOND - 8n),
    ],
    violate: [put('Last PID-pointer index', 1n)],
  },
  'apic-timer-vector': {
    ...complete,
    given: [...posted, on(Tertiary['APIC-timer virtualization']), put('Virtual timer vector', 16n)],
    violate: [put('Virtual timer vector', 15n)],
  },
};

const area = (name: 'VM-exit MSR-store' | 'VM-exit MSR-load' | 'VM-entry MSR-load', id: string) => ({
  [`${id}-align`]: { given: [put(`${name} count`, 1n)], violate: [put(`${name} address`, 8n)] },
  [`${id}-last`]: {
    given: [put(`${name} count`, 1n), put(`${name} address`, BEYOND - 16n)],
    violate: [put(`${name} count`, 2n)],
  },
});

const exitControls: Readonly<Record<string, EntryViolation>> = {
  reserved: { violate: [flip('Primary VM-exit controls', 1n)] },
  reserved2: {
    given: [on(SecondaryExit['prematurely busy shadow stack'])],
    violate: [flip('Secondary VM-exit controls', 1n << 40n)],
  },
  'save-timer': { violate: [on(Exit['save VMX-preemption timer value'])] },
  ...area('VM-exit MSR-store', 'msr-store'),
  ...area('VM-exit MSR-load', 'msr-load'),
};

const INFORMATION = 'VM-entry interruption-information field';
const VALID = 0x8000_0000n;
const NMI = 0x202n;
const GP = 0xb0dn;
const DIVIDE_ERROR = 0x300n;
const SOFTWARE_INTERRUPT = 0x480n;
const inject = (event: bigint): Edit => put(INFORMATION, VALID | event);

const entryControls: Readonly<Record<string, EntryViolation>> = {
  reserved: { violate: [flip('VM-entry controls', 1n)] },
  'inject.type': { given: [inject(0n), put('Guest RFLAGS', 0x202n)], violate: [inject(0x100n)] },
  'inject.vector-nmi': { given: [inject(NMI)], violate: [inject(NMI + 1n)] },
  'inject.vector-hwexc': { given: [inject(0x31fn)], violate: [inject(0x320n)] },
  'inject.vector-other': { given: [inject(0x700n)], violate: [inject(0x701n)] },
  'inject.errcode-type': {
    given: [inject(SOFTWARE_INTERRUPT), put('VM-entry instruction length', 2n)],
    violate: [flip(INFORMATION, 0x800n)],
  },
  'inject.errcode-vector': { processor: 'limited', given: [inject(GP)], violate: [flip(INFORMATION, 0x800n)] },
  'inject.errcode-pe0': { base: 'real', given: [inject(0x30dn)], violate: [flip(INFORMATION, 0x800n)] },
  'inject.reserved': { given: [inject(DIVIDE_ERROR)], violate: [flip(INFORMATION, 0x1000n)] },
  'inject.error-code-hi': {
    given: [inject(GP), put('VM-entry exception error code', 0x8000n)],
    violate: [put('VM-entry exception error code', 0x1_0000n)],
  },
  'inject.ilen': {
    given: [inject(SOFTWARE_INTERRUPT), put('VM-entry instruction length', 15n)],
    violate: [put('VM-entry instruction length', 16n)],
  },
  'inject.fred-nested': { ...complete, given: [inject(NMI)], violate: [flip(INFORMATION, 0x2000n)] },
  ...area('VM-entry MSR-load', 'msr-load'),
  'smm-outside': { violate: [on(Entry['entry to SMM'])] },
  'smm-both': {
    given: [
      (state) => {
        state.inSmm = true;
      },
      on(Entry['deactivate dual-monitor treatment']),
      put('Guest interruptibility state', 4n),
    ],
    violate: [on(Entry['entry to SMM'])],
  },
};

const FRED_ENTRY = on(Entry['load FRED']);
const FRED_EXIT = on(SecondaryExit['load FRED']);

const host: Readonly<Record<string, EntryViolation>> = {
  'cr0-fixed': { violate: [flip('Host CR0', 0x20n)] },
  'cr4-fixed': { violate: [flip('Host CR4', 0x2000n)] },
  'cet-wp': { given: [flip('Host CR4', CR4.CET)], violate: [flip('Host CR0', CR0_WP)] },
  'cr3-width': { violate: [flip('Host CR3', BEYOND)] },
  'sysenter-canonical': { violate: [put('Host IA32_SYSENTER_EIP', NOT_CANONICAL)] },
  'perf-global': {
    given: [on(Exit['load IA32_PERF_GLOBAL_CTRL']), put('Host IA32_PERF_GLOBAL_CTRL', 0xf_0000_00ffn)],
    violate: [flip('Host IA32_PERF_GLOBAL_CTRL', 0x100n)],
  },
  pat: {
    given: [on(Exit['load IA32_PAT']), put('Host IA32_PAT', 0x0007_0406_0501_0406n)],
    violate: [flip('Host IA32_PAT', 2n << 40n), flip('Host IA32_PAT', 4n << 40n)],
  },
  'efer-reserved': {
    given: [on(Exit['load IA32_EFER']), put('Host IA32_EFER', 0xd01n)],
    violate: [flip('Host IA32_EFER', 2n)],
  },
  'efer-lma-lme': {
    given: [on(Exit['load IA32_EFER']), put('Host IA32_EFER', 0xd01n)],
    violate: [flip('Host IA32_EFER', 0x100n)],
  },
  's-cet': {
    given: [on(Exit['load CET state']), put('Host IA32_S_CET', 0x804n)],
    violate: [flip('Host IA32_S_CET', 0x400n)],
    ...complete,
  },
  ssp: { given: [on(Exit['load CET state'])], violate: [put('Host SSP', 2n)], ...complete },
  isst: {
    given: [on(Exit['load CET state'])],
    violate: [put('Host IA32_INTERRUPT_SSP_TABLE_ADDR', NOT_CANONICAL)],
    ...complete,
  },
  pkrs: { given: [on(Exit['load PKRS'])], violate: [put('Host IA32_PKRS', 1n << 32n)] },
  'fred-config': { given: [FRED_EXIT], violate: [put('Host IA32_FRED_CONFIG', 4n)], ...complete },
  'fred-rsp': { given: [FRED_EXIT], violate: [put('Host IA32_FRED_RSP3', 0x20n)], ...complete },
  'fred-ssp': { given: [FRED_EXIT], violate: [put('Host IA32_FRED_SSP1', NOT_CANONICAL)], ...complete },
  'spec-ctrl': {
    given: [on(SecondaryExit['load host IA32_SPEC_CTRL']), put('Host IA32_SPEC_CTRL', 7n)],
    violate: [flip('Host IA32_SPEC_CTRL', 8n << 32n)],
    ...complete,
  },
  'sel-rpl-ti': { violate: [flip('Host TR selector', 4n)] },
  'cs-nonzero': { violate: [put('Host CS selector', 0n)] },
  'tr-nonzero': { violate: [put('Host TR selector', 0n)] },
  'ss-nonzero': { base: 'host32', violate: [put('Host SS selector', 0n)] },
  'bases-canonical': { violate: [put('Host IDTR base', NOT_CANONICAL)] },
  'addr-size.lma1': { base: 'paged32', violate: [off(Exit['host address-space size'])] },
  'addr-size.lma0': { base: 'host32', violate: [on(Exit['host address-space size']), flip('Host CR4', 0n)] },
  'addr-size.0-ia32e': {
    base: 'host32',
    violate: [on(Entry['IA-32e mode guest'])],
    implies: ['vmx.entry.host.addr-size.lma0'],
  },
  'addr-size.0-pcide': { base: 'host32', violate: [flip('Host CR4', CR4.PCIDE)] },
  'addr-size.0-rip': { base: 'host32', violate: [flip('Host RIP', 1n << 32n)] },
  'addr-size.0-fred': { base: 'host32', violate: [flip('Host CR4', CR4.FRED)], ...complete },
  'addr-size.1-pae': { violate: [flip('Host CR4', 0x20n)] },
  'addr-size.1-rip': { violate: [put('Host RIP', 1n << 47n)] },
};

const guestRegisters: Readonly<Record<string, EntryViolation>> = {
  'cr0.fixed': { violate: [flip('Guest CR0', 0x20n)] },
  'cr0.pg-pe': { base: 'real', given: [flip('Guest CR0', 1n << 31n)], violate: [], satisfy: [flip('Guest CR0', 1n)] },
  'cr4.fixed': { violate: [flip('Guest CR4', 0x2000n)] },
  'cr4.cet-wp': { given: [flip('Guest CR4', CR4.CET)], violate: [flip('Guest CR0', CR0_WP)] },
  debugctl: { given: [on(Entry['load debug controls'])], violate: [put('Guest IA32_DEBUGCTL', 0x20n)] },
  'cr0.pg-ia32e': { given: [ept, secondary('unrestricted guest')], violate: [flip('Guest CR0', 1n << 31n)] },
  'cr4.pae-ia32e': { violate: [flip('Guest CR4', 0x20n)] },
  'cr4.pcide': { base: 'paged32', violate: [flip('Guest CR4', CR4.PCIDE)] },
  'cr4.fred': {
    base: 'paged32',
    given: [put('Guest CS access rights', 0xa09bn)],
    violate: [flip('Guest CR4', CR4.FRED)],
    ...complete,
  },
  'cr3-width': { violate: [flip('Guest CR3', BEYOND)] },
  'dr7-hi': { given: [on(Entry['load debug controls'])], violate: [flip('Guest DR7', 1n << 32n)] },
  'sysenter-canonical': { violate: [put('Guest IA32_SYSENTER_ESP', NOT_CANONICAL)] },
  'perf-global': {
    given: [on(Entry['load IA32_PERF_GLOBAL_CTRL']), put('Guest IA32_PERF_GLOBAL_CTRL', 0xf_0000_00ffn)],
    violate: [flip('Guest IA32_PERF_GLOBAL_CTRL', 1n << 63n)],
  },
  pat: { given: [on(Entry['load IA32_PAT']), put('Guest IA32_PAT', 6n)], violate: [put('Guest IA32_PAT', 2n)] },
  'efer-reserved': {
    given: [on(Entry['load IA32_EFER']), put('Guest IA32_EFER', 0xd01n)],
    violate: [flip('Guest IA32_EFER', 1n << 40n)],
  },
  'efer-lma-ia32e': {
    base: 'real',
    given: [on(Entry['load IA32_EFER']), put('Guest IA32_EFER', 0x100n)],
    violate: [flip('Guest IA32_EFER', 0x400n)],
  },
  'efer-lma-lme': {
    given: [on(Entry['load IA32_EFER']), put('Guest IA32_EFER', 0xd01n)],
    violate: [flip('Guest IA32_EFER', 0x100n)],
  },
  bndcfgs: { given: [on(Entry['load IA32_BNDCFGS'])], violate: [put('Guest IA32_BNDCFGS', 4n)], ...complete },
  'rtit-ctl': { given: [on(Entry['load IA32_RTIT_CTL'])], violate: [put('Guest IA32_RTIT_CTL', 1n << 60n)] },
  'rtit-traceen': {
    given: [
      (state) => {
        state.isTracing = true;
      },
    ],
    violate: [on(Entry['load IA32_RTIT_CTL'])],
  },
  'lbr-ctl': { given: [on(Entry['load guest IA32_LBR_CTL'])], violate: [put('Guest IA32_LBR_CTL', 0x10n)] },
  pkrs: { given: [on(Entry['load PKRS'])], violate: [put('Guest IA32_PKRS', 1n << 63n)] },
  uinv: { given: [on(Entry['load UINV'])], violate: [put('Guest UINV', 0x100n)], ...complete },
  's-cet': { given: [on(Entry['load CET state'])], violate: [put('Guest IA32_S_CET', 0xc00n)] },
  isst: { given: [on(Entry['load CET state'])], violate: [put('Guest IA32_INTERRUPT_SSP_TABLE_ADDR', NOT_CANONICAL)] },
  fred: { given: [FRED_ENTRY], violate: [put('Guest IA32_FRED_SSP2', 4n)], ...complete },
  'spec-ctrl': {
    given: [on(Entry['load guest IA32_SPEC_CTRL']), put('Guest IA32_SPEC_CTRL', 1n)],
    violate: [put('Guest IA32_SPEC_CTRL', 0x80n)],
    ...complete,
  },
  'gdtr-idtr.base': { violate: [put('Guest IDTR base', NOT_CANONICAL)] },
  'gdtr-idtr.limit': { given: [put('Guest GDTR limit', 0xffffn)], violate: [put('Guest GDTR limit', 0x1_0000n)] },
  'rip.hi': { base: 'paged32', violate: [flip('Guest RIP', 1n << 32n)] },
  'rip.canonical': { given: [put('Guest RIP', 1n << 56n)], violate: [put('Guest RIP', 1n << 57n)] },
  'rflags.reserved': { violate: [flip('Guest RFLAGS', 2n)] },
  'rflags.vm-ia32e': {
    base: 'virtual8086',
    given: [flip('Guest CR4', 0x20n), on(Entry['IA-32e mode guest'])],
    violate: [],
    satisfy: [
      put('Guest RFLAGS', 2n),
      ...(['ES', 'DS', 'FS', 'GS'] as const).map((register) => put(`Guest ${register} access rights`, 0x1_0000n)),
      put('Guest CS access rights', 0x9bn),
      put('Guest SS access rights', 0x93n),
    ],
  },
  'rflags.vm-pe': {
    base: 'virtual8086',
    given: [ept, secondary('unrestricted guest'), flip('Guest CR0', (1n << 31n) | 1n)],
    violate: [],
    satisfy: [
      put('Guest RFLAGS', 2n),
      ...(['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const).map((register) =>
        put(`Guest ${register} access rights`, 0x93n),
      ),
    ],
  },
  'rflags.if-extint': { given: [inject(0x20n)], violate: [], satisfy: [put('Guest RFLAGS', 0x202n)] },
  ssp: { given: [on(Entry['load CET state'])], violate: [put('Guest SSP', NOT_CANONICAL)] },
};

const ACTIVITY = 'Guest activity state';
const BLOCKED = 'Guest interruptibility state';
const PENDING = 'Guest pending debug exceptions';
const inSmm: Edit = (state) => {
  state.inSmm = true;
};

const nonRegister: Readonly<Record<string, EntryViolation>> = {
  'activity.range': { given: [put(ACTIVITY, 3n)], violate: [put(ACTIVITY, 4n)] },
  'activity.hlt-dpl': {
    base: 'virtual8086',
    given: [put(ACTIVITY, 1n)],
    violate: [],
    satisfy: [
      put('Guest RFLAGS', 2n),
      ...(['ES', 'DS', 'FS', 'GS'] as const).map((register) => put(`Guest ${register} access rights`, 0x1_0000n)),
      put('Guest CS access rights', 0x9bn),
      put('Guest SS access rights', 0x93n),
    ],
  },
  'activity.blocking': { given: [put(BLOCKED, 2n)], violate: [put(ACTIVITY, 3n)] },
  'activity.inject-hlt': { given: [put(ACTIVITY, 1n), inject(0x301n)], violate: [inject(0x303n)] },
  'activity.inject-shutdown': { given: [put(ACTIVITY, 2n), inject(0x312n)], violate: [inject(0x311n)] },
  'activity.inject-sipi': {
    given: [put(ACTIVITY, 3n)],
    violate: [inject(NMI)],
    satisfy: [put(INFORMATION, NMI)],
    satisfiedByGuard: true,
  },
  'activity.smm-sipi': {
    given: [inSmm, on(Entry['entry to SMM']), put(BLOCKED, 4n)],
    violate: [put(ACTIVITY, 3n)],
  },
  'int.reserved': { violate: [put(BLOCKED, 0x20n)] },
  'int.sti-movss': { given: [put(BLOCKED, 1n), put('Guest RFLAGS', 0x202n)], violate: [put(BLOCKED, 3n)] },
  'int.sti-if': { violate: [put(BLOCKED, 1n)] },
  'int.extint-sti-movss': { given: [inject(0x20n), put('Guest RFLAGS', 0x202n)], violate: [put(BLOCKED, 1n)] },
  'int.nmi-movss': { given: [inject(NMI)], violate: [put(BLOCKED, 2n)] },
  'int.nmi-sti': { given: [inject(NMI), put('Guest RFLAGS', 0x202n)], violate: [put(BLOCKED, 1n)] },
  'int.nmi-blocked': {
    given: [on(PinBased['NMI exiting'], PinBased['virtual NMIs']), inject(NMI)],
    violate: [put(BLOCKED, 8n)],
  },
  'int.smi-outside': { violate: [put(BLOCKED, 4n)] },
  'int.smi-entry': { given: [inSmm, on(Entry['entry to SMM'])], violate: [], satisfy: [put(BLOCKED, 4n)] },
  'int.enclave': { ...complete, given: [put(BLOCKED, 0x10n)], violate: [put(BLOCKED, 0x12n)] },
  'int.fred-sti': {
    ...complete,
    given: [
      flip('Guest CR4', CR4.FRED),
      put('Guest RFLAGS', 0x202n),
      put('Guest CS selector', 0xbn),
      put('Guest SS selector', 0x13n),
      put('Guest CS access rights', 0xa0fbn),
      put('Guest SS access rights', 0xc0f3n),
    ],
    violate: [put(BLOCKED, 1n)],
  },
  'pdb.reserved': { violate: [put(PENDING, 0x10n)] },
  'pdb.bs-tf': {
    given: [put(BLOCKED, 2n), put('Guest RFLAGS', 0x102n)],
    violate: [],
    satisfy: [put(PENDING, 0x4000n)],
  },
  'pdb.rtm': { ...complete, given: [put(PENDING, 0x1_1000n)], violate: [put(PENDING, 0x1_0000n)] },
  'link.align': {
    given: [put('VMCS link pointer', 0x9000n), memory(0x9000n, 0x13n)],
    violate: [put('VMCS link pointer', 0x9008n)],
  },
  'link.width': {
    given: [put('VMCS link pointer', 0x9000n), memory(0x9000n, 0x13n)],
    violate: [put('VMCS link pointer', BEYOND)],
  },
  'link.revision': {
    given: [put('VMCS link pointer', 0x9000n)],
    violate: [memory(0x9000n, 0x12n)],
    satisfy: [memory(0x9000n, 0x13n)],
  },
  'link.shadow-bit': {
    given: [put('VMCS link pointer', 0x9000n), secondary('VMCS shadowing')],
    violate: [memory(0x9000n, 0x13n)],
    satisfy: [memory(0x9000n, 0x8000_0013n)],
  },
  'link.not-current': {
    given: [put('VMCS link pointer', 0x9000n), memory(0x9000n, 0x13n), memory(VMCS_ADDRESS, 0x13n)],
    violate: [put('VMCS link pointer', VMCS_ADDRESS)],
  },
  'link.not-executive': {
    given: [inSmm, put('VMCS link pointer', 0x9000n), memory(0x9000n, 0x13n)],
    violate: [put('Executive-VMCS pointer', 0x9000n)],
  },
  'pdpte.reserved': {
    base: 'paged32',
    given: [flip('Guest CR4', 0x20n), memory(0x2018n, 1n)],
    violate: [memory(0x2018n, 3n)],
  },
};

const prefixed = (prefix: string, rows: Readonly<Record<string, EntryViolation>>) =>
  Object.fromEntries(Object.entries(rows).map(([check, row]) => [`vmx.entry.${prefix}.${check}`, row]));

/** By rule id. */
export const ENTRY_VIOLATIONS: Readonly<Record<string, EntryViolation>> = {
  ...prefixed('ctl.exec', executionControls),
  ...prefixed('ctl.exit', exitControls),
  ...prefixed('ctl.entry', entryControls),
  ...prefixed('host', host),
  ...prefixed('guest', { ...guestRegisters, ...nonRegister, ...SEGMENT_VIOLATIONS }),
};
