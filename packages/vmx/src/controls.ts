// The VM-execution, VM-exit, VM-entry and VM-function controls: every bit by the manual's name, and the capability MSR
// that says what a processor allows it to be. What the controls do stands where it is done.
import { type Citation, sdm } from '@retrovisor/core';

type ControlField =
  | `${'Pin-based' | `${'Primary' | 'Secondary' | 'Tertiary'} processor-based`} VM-execution controls`
  | `${'Primary' | 'Secondary'} VM-exit controls`
  | 'VM-entry controls'
  | 'VM-function controls';

/** One word of control bits. */
export interface ControlGroup {
  readonly manual: Citation;
  /** The VMCS field that holds the word. */
  readonly field: ControlField;
  readonly capability: `IA32_VMX_${string}`;
  /** Reports the same with the default1 bits as the processor really has them; exists with IA32_VMX_BASIC[55]. */
  readonly trueCapability?: `IA32_VMX_TRUE_${string}`;
  /**
   * Two halves: 31:0 set where the control must be 1, 63:32 clear where it must be 0. Newer words have 64 controls and
   * no room for the first half: a bit set means that the control may be 1.
   */
  readonly format: 'allowed 0-settings and 1-settings' | 'allowed 1-settings';
  /** Bits that must be 1 unless the TRUE MSR says otherwise; most of them have no name. */
  readonly default1: readonly number[];
  /** While this control is 0, the processor works as if the whole word were 0. */
  readonly activatedBy?: Control;
}

/** One control. */
export interface Control {
  readonly name: string;
  /** Its bit in the word. */
  readonly bit: number;
  readonly group: ControlGroup;
}

type GroupDeclaration = Omit<ControlGroup, 'format' | 'default1'> & Partial<Pick<ControlGroup, 'format' | 'default1'>>;

function defineControls<const Bits extends Readonly<Record<string, number>>>(
  declaration: GroupDeclaration,
  bits: Bits,
): { readonly [Name in keyof Bits]: Control } {
  const group = Object.freeze({ format: 'allowed 0-settings and 1-settings', default1: [], ...declaration } as const);
  const controls = Object.entries(bits).map(([name, bit]) => [name, Object.freeze({ name, bit, group })] as const);
  return Object.freeze(Object.fromEntries(controls)) as { readonly [Name in keyof Bits]: Control };
}

export const PinBased = defineControls(
  {
    manual: sdm('Pin-Based VM-Execution Controls'),
    field: 'Pin-based VM-execution controls',
    capability: 'IA32_VMX_PINBASED_CTLS',
    trueCapability: 'IA32_VMX_TRUE_PINBASED_CTLS',
    default1: [1, 2, 4],
  },
  {
    'external-interrupt exiting': 0,
    'NMI exiting': 3,
    'virtual NMIs': 5,
    'activate VMX-preemption timer': 6,
    'process posted interrupts': 7,
  },
);

/** Primary processor-based VM-execution controls. */
export const Primary = defineControls(
  {
    manual: sdm('Processor-Based VM-Execution Controls'),
    field: 'Primary processor-based VM-execution controls',
    capability: 'IA32_VMX_PROCBASED_CTLS',
    trueCapability: 'IA32_VMX_TRUE_PROCBASED_CTLS',
    default1: [1, 4, 5, 6, 8, 13, 14, 15, 16, 26],
  },
  {
    'interrupt-window exiting': 2,
    'use TSC offsetting': 3,
    'HLT exiting': 7,
    'INVLPG exiting': 9,
    'MWAIT exiting': 10,
    'RDPMC exiting': 11,
    'RDTSC exiting': 12,
    'CR3-load exiting': 15,
    'CR3-store exiting': 16,
    'activate tertiary controls': 17,
    'CR8-load exiting': 19,
    'CR8-store exiting': 20,
    'use TPR shadow': 21,
    'NMI-window exiting': 22,
    'MOV-DR exiting': 23,
    'unconditional I/O exiting': 24,
    'use I/O bitmaps': 25,
    'monitor trap flag': 27,
    'use MSR bitmaps': 28,
    'MONITOR exiting': 29,
    'PAUSE exiting': 30,
    'activate secondary controls': 31,
  },
);

/** Secondary processor-based VM-execution controls. */
export const Secondary = defineControls(
  {
    manual: sdm('Processor-Based VM-Execution Controls'),
    field: 'Secondary processor-based VM-execution controls',
    activatedBy: Primary['activate secondary controls'],
    capability: 'IA32_VMX_PROCBASED_CTLS2',
  },
  {
    'virtualize APIC accesses': 0,
    'enable EPT': 1,
    'descriptor-table exiting': 2,
    'enable RDTSCP': 3,
    'virtualize x2APIC mode': 4,
    'enable VPID': 5,
    'WBINVD exiting': 6,
    'unrestricted guest': 7,
    'APIC-register virtualization': 8,
    'virtual-interrupt delivery': 9,
    'PAUSE-loop exiting': 10,
    'RDRAND exiting': 11,
    'enable INVPCID': 12,
    'enable VM functions': 13,
    'VMCS shadowing': 14,
    'enable ENCLS exiting': 15,
    'RDSEED exiting': 16,
    'enable PML': 17,
    'EPT-violation #VE': 18,
    'conceal VMX from PT': 19,
    'enable XSAVES/XRSTORS': 20,
    'PASID translation': 21,
    'mode-based execute control for EPT': 22,
    'sub-page write permissions for EPT': 23,
    'Intel PT uses guest physical addresses': 24,
    'use TSC scaling': 25,
    'enable user wait and pause': 26,
    'enable PCONFIG': 27,
    'enable ENCLV exiting': 28,
    'VMM bus-lock detection': 30,
    'instruction timeout': 31, // Linux and Xen call it notify VM exiting
  },
);

/** Tertiary processor-based VM-execution controls. */
export const Tertiary = defineControls(
  {
    manual: sdm('Processor-Based VM-Execution Controls'),
    field: 'Tertiary processor-based VM-execution controls',
    activatedBy: Primary['activate tertiary controls'],
    capability: 'IA32_VMX_PROCBASED_CTLS3',
    format: 'allowed 1-settings',
  },
  {
    'LOADIWKEY exiting': 0,
    'enable HLAT': 1,
    'EPT paging-write control': 2,
    'guest-paging verification': 3,
    'IPI virtualization': 4,
    'enable MSR-list instructions': 6,
    'virtualize IA32_SPEC_CTRL': 7,
    'APIC-timer virtualization': 8, // newer than the pinned revision
  },
);

/** Primary VM-exit controls. */
export const Exit = defineControls(
  {
    manual: sdm('VM-Exit Controls'),
    field: 'Primary VM-exit controls',
    capability: 'IA32_VMX_EXIT_CTLS',
    trueCapability: 'IA32_VMX_TRUE_EXIT_CTLS',
    default1: [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 16, 17],
  },
  {
    'save debug controls': 2,
    'host address-space size': 9,
    'load IA32_PERF_GLOBAL_CTRL': 12,
    'acknowledge interrupt on exit': 15,
    'save IA32_PAT': 18,
    'load IA32_PAT': 19,
    'save IA32_EFER': 20,
    'load IA32_EFER': 21,
    'save VMX-preemption timer value': 22,
    'clear IA32_BNDCFGS': 23,
    'conceal VMX from PT': 24,
    'clear IA32_RTIT_CTL': 25,
    'clear IA32_LBR_CTL': 26,
    'clear UINV': 27,
    'load CET state': 28,
    'load PKRS': 29,
    'save IA32_PERF_GLOBAL_CTRL': 30,
    'activate secondary controls': 31,
  },
);

/** Secondary VM-exit controls. */
export const SecondaryExit = defineControls(
  {
    manual: sdm('VM-Exit Controls'),
    field: 'Secondary VM-exit controls',
    activatedBy: Exit['activate secondary controls'],
    capability: 'IA32_VMX_EXIT_CTLS2',
    format: 'allowed 1-settings',
  },
  {
    'save FRED': 0,
    'load FRED': 1,
    'load host IA32_SPEC_CTRL': 2, // newer than the pinned revision
    'prematurely busy shadow stack': 3,
  },
);

/** VM-entry controls. */
export const Entry = defineControls(
  {
    manual: sdm('VM-Entry Controls'),
    field: 'VM-entry controls',
    capability: 'IA32_VMX_ENTRY_CTLS',
    trueCapability: 'IA32_VMX_TRUE_ENTRY_CTLS',
    default1: [0, 1, 2, 3, 4, 5, 6, 7, 8, 12],
  },
  {
    'load debug controls': 2,
    'IA-32e mode guest': 9,
    'entry to SMM': 10,
    'deactivate dual-monitor treatment': 11,
    'load IA32_PERF_GLOBAL_CTRL': 13,
    'load IA32_PAT': 14,
    'load IA32_EFER': 15,
    'load IA32_BNDCFGS': 16,
    'conceal VMX from PT': 17,
    'load IA32_RTIT_CTL': 18,
    'load UINV': 19,
    'load CET state': 20,
    'load guest IA32_LBR_CTL': 21,
    'load PKRS': 22,
    'load FRED': 23,
    'load guest IA32_SPEC_CTRL': 24, // newer than the pinned revision
  },
);

/** VM-function controls. */
export const VmFunction = defineControls(
  {
    manual: sdm('VM-Function Controls'),
    field: 'VM-function controls',
    activatedBy: Secondary['enable VM functions'],
    capability: 'IA32_VMX_VMFUNC',
    format: 'allowed 1-settings',
  },
  { 'EPTP switching': 0 },
);
