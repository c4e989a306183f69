// Every field of the VMCS (SDM, "Field Encoding in VMCS"), one row a field in the order of encodings. Which of them a
// processor supports is decided in field-support.ts, where they lie in a region in vmcs-region.ts.
import { sdm } from '@retrovisor/core';
import { Entry, Exit, PinBased, Primary, Secondary, SecondaryExit, Tertiary, VmFunction } from './controls.js';
import { defineFields, type VmcsField } from './field-encoding.js';

const NEWER = 'Newer than the pinned revision: name, encoding and condition are as Bochs has them.';
const FRED = 'The condition is inferred: Bochs has the field wherever it has FRED.';
const SEAM = 'Outside the SDM: name and encoding are as Bochs has them.';

export const VMCS_FIELDS = defineFields(sdm('Field Encoding in VMCS'), [
  // 16-bit Control Fields
  { encoding: 0x0000, name: 'Virtual-processor identifier (VPID)', existsWhen: Secondary['enable VPID'] },
  { encoding: 0x0002, name: 'Posted-interrupt notification vector', existsWhen: PinBased['process posted interrupts'] },
  { encoding: 0x0004, name: 'EPTP index', existsWhen: Secondary['EPT-violation #VE'] },
  { encoding: 0x0006, name: 'HLAT prefix size', existsWhen: Tertiary['enable HLAT'] },
  { encoding: 0x0008, name: 'Last PID-pointer index', existsWhen: Tertiary['IPI virtualization'] },
  { encoding: 0x000a, name: 'Virtual timer vector', existsWhen: Tertiary['APIC-timer virtualization'], note: NEWER },
  // 16-bit Guest-State Fields
  { encoding: 0x0800, name: 'Guest ES selector' },
  { encoding: 0x0802, name: 'Guest CS selector' },
  { encoding: 0x0804, name: 'Guest SS selector' },
  { encoding: 0x0806, name: 'Guest DS selector' },
  { encoding: 0x0808, name: 'Guest FS selector' },
  { encoding: 0x080a, name: 'Guest GS selector' },
  { encoding: 0x080c, name: 'Guest LDTR selector' },
  { encoding: 0x080e, name: 'Guest TR selector' },
  { encoding: 0x0810, name: 'Guest interrupt status', existsWhen: Secondary['virtual-interrupt delivery'] },
  { encoding: 0x0812, name: 'PML index', existsWhen: Secondary['enable PML'] },
  { encoding: 0x0814, name: 'Guest UINV', existsWhen: [Exit['clear UINV'], Entry['load UINV']] },
  // 16-bit Host-State Fields
  { encoding: 0x0c00, name: 'Host ES selector' },
  { encoding: 0x0c02, name: 'Host CS selector' },
  { encoding: 0x0c04, name: 'Host SS selector' },
  { encoding: 0x0c06, name: 'Host DS selector' },
  { encoding: 0x0c08, name: 'Host FS selector' },
  { encoding: 0x0c0a, name: 'Host GS selector' },
  { encoding: 0x0c0c, name: 'Host TR selector' },
  // 64-bit Control Fields
  { encoding: 0x2000, name: 'Address of I/O bitmap A' },
  { encoding: 0x2002, name: 'Address of I/O bitmap B' },
  { encoding: 0x2004, name: 'Address of MSR bitmaps', existsWhen: Primary['use MSR bitmaps'] },
  { encoding: 0x2006, name: 'VM-exit MSR-store address' },
  { encoding: 0x2008, name: 'VM-exit MSR-load address' },
  { encoding: 0x200a, name: 'VM-entry MSR-load address' },
  { encoding: 0x200c, name: 'Executive-VMCS pointer' },
  { encoding: 0x200e, name: 'PML address', existsWhen: Secondary['enable PML'] },
  { encoding: 0x2010, name: 'TSC offset' },
  { encoding: 0x2012, name: 'Virtual-APIC address', existsWhen: Primary['use TPR shadow'] },
  { encoding: 0x2014, name: 'APIC-access address', existsWhen: Secondary['virtualize APIC accesses'] },
  { encoding: 0x2016, name: 'Posted-interrupt descriptor address', existsWhen: PinBased['process posted interrupts'] },
  { encoding: 0x2018, name: 'VM-function controls', existsWhen: Secondary['enable VM functions'] },
  { encoding: 0x201a, name: 'EPT pointer (EPTP)', existsWhen: Secondary['enable EPT'] },
  { encoding: 0x201c, name: 'EOI-exit bitmap 0', existsWhen: Secondary['virtual-interrupt delivery'] },
  { encoding: 0x201e, name: 'EOI-exit bitmap 1', existsWhen: Secondary['virtual-interrupt delivery'] },
  { encoding: 0x2020, name: 'EOI-exit bitmap 2', existsWhen: Secondary['virtual-interrupt delivery'] },
  { encoding: 0x2022, name: 'EOI-exit bitmap 3', existsWhen: Secondary['virtual-interrupt delivery'] },
  { encoding: 0x2024, name: 'EPTP-list address', existsWhen: VmFunction['EPTP switching'] },
  { encoding: 0x2026, name: 'VMREAD-bitmap address', existsWhen: Secondary['VMCS shadowing'] },
  { encoding: 0x2028, name: 'VMWRITE-bitmap address', existsWhen: Secondary['VMCS shadowing'] },
  {
    encoding: 0x202a,
    name: 'Virtualization-exception information address',
    existsWhen: Secondary['EPT-violation #VE'],
  },
  { encoding: 0x202c, name: 'XSS-exiting bitmap', existsWhen: Secondary['enable XSAVES/XRSTORS'] },
  { encoding: 0x202e, name: 'ENCLS-exiting bitmap', existsWhen: Secondary['enable ENCLS exiting'] },
  {
    encoding: 0x2030,
    name: 'Sub-page-permission-table pointer',
    existsWhen: Secondary['sub-page write permissions for EPT'],
  },
  { encoding: 0x2032, name: 'TSC multiplier', existsWhen: Secondary['use TSC scaling'] },
  {
    encoding: 0x2034,
    name: 'Tertiary processor-based VM-execution controls',
    existsWhen: Primary['activate tertiary controls'],
  },
  { encoding: 0x2036, name: 'ENCLV-exiting bitmap', existsWhen: Secondary['enable ENCLV exiting'] },
  { encoding: 0x2038, name: 'Low PASID directory address', existsWhen: Secondary['PASID translation'] },
  { encoding: 0x203a, name: 'High PASID directory address', existsWhen: Secondary['PASID translation'] },
  { encoding: 0x203c, name: 'Shared EPT pointer', existsWhen: 'SEAM', note: SEAM },
  { encoding: 0x203e, name: 'PCONFIG-exiting bitmap', existsWhen: Secondary['enable PCONFIG'] },
  {
    encoding: 0x2040,
    name: 'Hypervisor-managed linear-address translation pointer (HLATP)',
    existsWhen: Tertiary['enable HLAT'],
  },
  { encoding: 0x2042, name: 'PID-pointer table address', existsWhen: Tertiary['IPI virtualization'] },
  { encoding: 0x2044, name: 'Secondary VM-exit controls', existsWhen: Exit['activate secondary controls'] },
  { encoding: 0x204a, name: 'IA32_SPEC_CTRL mask', existsWhen: Tertiary['virtualize IA32_SPEC_CTRL'] },
  { encoding: 0x204c, name: 'IA32_SPEC_CTRL shadow', existsWhen: Tertiary['virtualize IA32_SPEC_CTRL'] },
  { encoding: 0x204e, name: 'Guest deadline shadow', existsWhen: Tertiary['APIC-timer virtualization'], note: NEWER },
  { encoding: 0x2052, name: 'Injected-event data', existsWhen: Entry['load FRED'], note: FRED },
  // 64-bit Read-Only Data Fields
  { encoding: 0x2400, name: 'Guest-physical address', existsWhen: Secondary['enable EPT'] },
  { encoding: 0x2402, name: 'MSR data', existsWhen: Tertiary['enable MSR-list instructions'] },
  { encoding: 0x2404, name: 'Original-event data', existsWhen: Entry['load FRED'], note: FRED },
  // 64-bit Guest-State Fields
  { encoding: 0x2800, name: 'VMCS link pointer' },
  { encoding: 0x2802, name: 'Guest IA32_DEBUGCTL' },
  { encoding: 0x2804, name: 'Guest IA32_PAT', existsWhen: [Entry['load IA32_PAT'], Exit['save IA32_PAT']] },
  { encoding: 0x2806, name: 'Guest IA32_EFER', existsWhen: [Entry['load IA32_EFER'], Exit['save IA32_EFER']] },
  {
    encoding: 0x2808,
    name: 'Guest IA32_PERF_GLOBAL_CTRL',
    existsWhen: [Entry['load IA32_PERF_GLOBAL_CTRL'], Exit['save IA32_PERF_GLOBAL_CTRL']],
  },
  { encoding: 0x280a, name: 'Guest PDPTE0', existsWhen: Secondary['enable EPT'] },
  { encoding: 0x280c, name: 'Guest PDPTE1', existsWhen: Secondary['enable EPT'] },
  { encoding: 0x280e, name: 'Guest PDPTE2', existsWhen: Secondary['enable EPT'] },
  { encoding: 0x2810, name: 'Guest PDPTE3', existsWhen: Secondary['enable EPT'] },
  {
    encoding: 0x2812,
    name: 'Guest IA32_BNDCFGS',
    existsWhen: [Entry['load IA32_BNDCFGS'], Exit['clear IA32_BNDCFGS']],
  },
  {
    encoding: 0x2814,
    name: 'Guest IA32_RTIT_CTL',
    existsWhen: [Entry['load IA32_RTIT_CTL'], Exit['clear IA32_RTIT_CTL']],
  },
  {
    encoding: 0x2816,
    name: 'Guest IA32_LBR_CTL',
    existsWhen: [Entry['load guest IA32_LBR_CTL'], Exit['clear IA32_LBR_CTL']],
  },
  { encoding: 0x2818, name: 'Guest IA32_PKRS', existsWhen: Entry['load PKRS'] },
  { encoding: 0x281a, name: 'Guest IA32_FRED_CONFIG', existsWhen: [Entry['load FRED'], SecondaryExit['save FRED']] },
  { encoding: 0x281c, name: 'Guest IA32_FRED_RSP1', existsWhen: [Entry['load FRED'], SecondaryExit['save FRED']] },
  { encoding: 0x281e, name: 'Guest IA32_FRED_RSP2', existsWhen: [Entry['load FRED'], SecondaryExit['save FRED']] },
  { encoding: 0x2820, name: 'Guest IA32_FRED_RSP3', existsWhen: [Entry['load FRED'], SecondaryExit['save FRED']] },
  { encoding: 0x2822, name: 'Guest IA32_FRED_STKLVLS', existsWhen: [Entry['load FRED'], SecondaryExit['save FRED']] },
  { encoding: 0x2824, name: 'Guest IA32_FRED_SSP1', existsWhen: [Entry['load FRED'], SecondaryExit['save FRED']] },
  { encoding: 0x2826, name: 'Guest IA32_FRED_SSP2', existsWhen: [Entry['load FRED'], SecondaryExit['save FRED']] },
  { encoding: 0x2828, name: 'Guest IA32_FRED_SSP3', existsWhen: [Entry['load FRED'], SecondaryExit['save FRED']] },
  { encoding: 0x282e, name: 'Guest IA32_SPEC_CTRL', existsWhen: Entry['load guest IA32_SPEC_CTRL'], note: NEWER },
  { encoding: 0x2830, name: 'Guest deadline', existsWhen: Tertiary['APIC-timer virtualization'], note: NEWER },
  // 64-bit Host-State Fields
  { encoding: 0x2c00, name: 'Host IA32_PAT', existsWhen: Exit['load IA32_PAT'] },
  { encoding: 0x2c02, name: 'Host IA32_EFER', existsWhen: Exit['load IA32_EFER'] },
  { encoding: 0x2c04, name: 'Host IA32_PERF_GLOBAL_CTRL', existsWhen: Exit['load IA32_PERF_GLOBAL_CTRL'] },
  { encoding: 0x2c06, name: 'Host IA32_PKRS', existsWhen: Exit['load PKRS'] },
  { encoding: 0x2c08, name: 'Host IA32_FRED_CONFIG', existsWhen: SecondaryExit['load FRED'] },
  { encoding: 0x2c0a, name: 'Host IA32_FRED_RSP1', existsWhen: SecondaryExit['load FRED'] },
  { encoding: 0x2c0c, name: 'Host IA32_FRED_RSP2', existsWhen: SecondaryExit['load FRED'] },
  { encoding: 0x2c0e, name: 'Host IA32_FRED_RSP3', existsWhen: SecondaryExit['load FRED'] },
  { encoding: 0x2c10, name: 'Host IA32_FRED_STKLVLS', existsWhen: SecondaryExit['load FRED'] },
  { encoding: 0x2c12, name: 'Host IA32_FRED_SSP1', existsWhen: SecondaryExit['load FRED'] },
  { encoding: 0x2c14, name: 'Host IA32_FRED_SSP2', existsWhen: SecondaryExit['load FRED'] },
  { encoding: 0x2c16, name: 'Host IA32_FRED_SSP3', existsWhen: SecondaryExit['load FRED'] },
  { encoding: 0x2c1a, name: 'Host IA32_SPEC_CTRL', existsWhen: SecondaryExit['load host IA32_SPEC_CTRL'], note: NEWER },
  // 32-bit Control Fields
  { encoding: 0x4000, name: 'Pin-based VM-execution controls' },
  { encoding: 0x4002, name: 'Primary processor-based VM-execution controls' },
  { encoding: 0x4004, name: 'Exception bitmap' },
  { encoding: 0x4006, name: 'Page-fault error-code mask' },
  { encoding: 0x4008, name: 'Page-fault error-code match' },
  { encoding: 0x400a, name: 'CR3-target count' },
  { encoding: 0x400c, name: 'Primary VM-exit controls' },
  { encoding: 0x400e, name: 'VM-exit MSR-store count' },
  { encoding: 0x4010, name: 'VM-exit MSR-load count' },
  { encoding: 0x4012, name: 'VM-entry controls' },
  { encoding: 0x4014, name: 'VM-entry MSR-load count' },
  { encoding: 0x4016, name: 'VM-entry interruption-information field' },
  { encoding: 0x4018, name: 'VM-entry exception error code' },
  { encoding: 0x401a, name: 'VM-entry instruction length' },
  { encoding: 0x401c, name: 'TPR threshold', existsWhen: Primary['use TPR shadow'] },
  {
    encoding: 0x401e,
    name: 'Secondary processor-based VM-execution controls',
    existsWhen: Primary['activate secondary controls'],
  },
  { encoding: 0x4020, name: 'PLE_Gap', existsWhen: Secondary['PAUSE-loop exiting'] },
  { encoding: 0x4022, name: 'PLE_Window', existsWhen: Secondary['PAUSE-loop exiting'] },
  { encoding: 0x4024, name: 'Instruction-timeout control', existsWhen: Secondary['instruction timeout'] },
  { encoding: 0x4026, name: 'SEAM guest KeyID', existsWhen: 'SEAM', note: SEAM },
  // 32-bit Read-Only Data Fields
  { encoding: 0x4400, name: 'VM-instruction error' },
  { encoding: 0x4402, name: 'Exit reason' },
  { encoding: 0x4404, name: 'VM-exit interruption information' },
  { encoding: 0x4406, name: 'VM-exit interruption error code' },
  { encoding: 0x4408, name: 'IDT-vectoring information field' },
  { encoding: 0x440a, name: 'IDT-vectoring error code' },
  { encoding: 0x440c, name: 'VM-exit instruction length' },
  { encoding: 0x440e, name: 'VM-exit instruction information' },
  // 32-bit Guest-State Fields
  { encoding: 0x4800, name: 'Guest ES limit' },
  { encoding: 0x4802, name: 'Guest CS limit' },
  { encoding: 0x4804, name: 'Guest SS limit' },
  { encoding: 0x4806, name: 'Guest DS limit' },
  { encoding: 0x4808, name: 'Guest FS limit' },
  { encoding: 0x480a, name: 'Guest GS limit' },
  { encoding: 0x480c, name: 'Guest LDTR limit' },
  { encoding: 0x480e, name: 'Guest TR limit' },
  { encoding: 0x4810, name: 'Guest GDTR limit' },
  { encoding: 0x4812, name: 'Guest IDTR limit' },
  { encoding: 0x4814, name: 'Guest ES access rights' },
  { encoding: 0x4816, name: 'Guest CS access rights' },
  { encoding: 0x4818, name: 'Guest SS access rights' },
  { encoding: 0x481a, name: 'Guest DS access rights' },
  { encoding: 0x481c, name: 'Guest FS access rights' },
  { encoding: 0x481e, name: 'Guest GS access rights' },
  { encoding: 0x4820, name: 'Guest LDTR access rights' },
  { encoding: 0x4822, name: 'Guest TR access rights' },
  { encoding: 0x4824, name: 'Guest interruptibility state' },
  { encoding: 0x4826, name: 'Guest activity state' },
  { encoding: 0x4828, name: 'Guest SMBASE' },
  { encoding: 0x482a, name: 'Guest IA32_SYSENTER_CS' },
  { encoding: 0x482e, name: 'VMX-preemption timer value', existsWhen: PinBased['activate VMX-preemption timer'] },
  // 32-bit Host-State Fields
  { encoding: 0x4c00, name: 'Host IA32_SYSENTER_CS' },
  // Natural-Width Control Fields
  { encoding: 0x6000, name: 'CR0 guest/host mask' },
  { encoding: 0x6002, name: 'CR4 guest/host mask' },
  { encoding: 0x6004, name: 'CR0 read shadow' },
  { encoding: 0x6006, name: 'CR4 read shadow' },
  { encoding: 0x6008, name: 'CR3-target value 0', existsWhen: { cr3TargetValuesAbove: 0 } },
  { encoding: 0x600a, name: 'CR3-target value 1', existsWhen: { cr3TargetValuesAbove: 1 } },
  { encoding: 0x600c, name: 'CR3-target value 2', existsWhen: { cr3TargetValuesAbove: 2 } },
  { encoding: 0x600e, name: 'CR3-target value 3', existsWhen: { cr3TargetValuesAbove: 3 } },
  // Natural-Width Read-Only Data Fields
  { encoding: 0x6400, name: 'Exit qualification' },
  { encoding: 0x6402, name: 'I/O RCX' },
  { encoding: 0x6404, name: 'I/O RSI' },
  { encoding: 0x6406, name: 'I/O RDI' },
  { encoding: 0x6408, name: 'I/O RIP' },
  { encoding: 0x640a, name: 'Guest-linear address' },
  // Natural-Width Guest-State Fields
  { encoding: 0x6800, name: 'Guest CR0' },
  { encoding: 0x6802, name: 'Guest CR3' },
  { encoding: 0x6804, name: 'Guest CR4' },
  { encoding: 0x6806, name: 'Guest ES base' },
  { encoding: 0x6808, name: 'Guest CS base' },
  { encoding: 0x680a, name: 'Guest SS base' },
  { encoding: 0x680c, name: 'Guest DS base' },
  { encoding: 0x680e, name: 'Guest FS base' },
  { encoding: 0x6810, name: 'Guest GS base' },
  { encoding: 0x6812, name: 'Guest LDTR base' },
  { encoding: 0x6814, name: 'Guest TR base' },
  { encoding: 0x6816, name: 'Guest GDTR base' },
  { encoding: 0x6818, name: 'Guest IDTR base' },
  { encoding: 0x681a, name: 'Guest DR7' },
  { encoding: 0x681c, name: 'Guest RSP' },
  { encoding: 0x681e, name: 'Guest RIP' },
  { encoding: 0x6820, name: 'Guest RFLAGS' },
  { encoding: 0x6822, name: 'Guest pending debug exceptions' },
  { encoding: 0x6824, name: 'Guest IA32_SYSENTER_ESP' },
  { encoding: 0x6826, name: 'Guest IA32_SYSENTER_EIP' },
  { encoding: 0x6828, name: 'Guest IA32_S_CET', existsWhen: Entry['load CET state'] },
  { encoding: 0x682a, name: 'Guest SSP', existsWhen: Entry['load CET state'] },
  { encoding: 0x682c, name: 'Guest IA32_INTERRUPT_SSP_TABLE_ADDR', existsWhen: Entry['load CET state'] },
  // Natural-Width Host-State Fields
  { encoding: 0x6c00, name: 'Host CR0' },
  { encoding: 0x6c02, name: 'Host CR3' },
  { encoding: 0x6c04, name: 'Host CR4' },
  { encoding: 0x6c06, name: 'Host FS base' },
  { encoding: 0x6c08, name: 'Host GS base' },
  { encoding: 0x6c0a, name: 'Host TR base' },
  { encoding: 0x6c0c, name: 'Host GDTR base' },
  { encoding: 0x6c0e, name: 'Host IDTR base' },
  { encoding: 0x6c10, name: 'Host IA32_SYSENTER_ESP' },
  { encoding: 0x6c12, name: 'Host IA32_SYSENTER_EIP' },
  { encoding: 0x6c14, name: 'Host RSP' },
  { encoding: 0x6c16, name: 'Host RIP' },
  { encoding: 0x6c18, name: 'Host IA32_S_CET', existsWhen: Exit['load CET state'] },
  { encoding: 0x6c1a, name: 'Host SSP', existsWhen: Exit['load CET state'] },
  { encoding: 0x6c1c, name: 'Host IA32_INTERRUPT_SSP_TABLE_ADDR', existsWhen: Exit['load CET state'] },
]);

/** The name of a field as the manual prints it. */
export type FieldName = (typeof VMCS_FIELDS)[number]['name'];

const BY_NAME = new Map<string, VmcsField<FieldName>>(VMCS_FIELDS.map((field) => [field.name, field]));
const BY_ENCODING = new Map<number, VmcsField<FieldName>>(VMCS_FIELDS.map((field) => [field.encoding, field]));

/**
 * A field by the name that the manual prints; undefined for any other text.
 * @example fieldNamed('Guest RIP').encoding // 0x681e
 */
export function fieldNamed(name: FieldName): VmcsField<FieldName>;
export function fieldNamed(name: string): VmcsField<FieldName> | undefined;
export function fieldNamed(name: string): VmcsField<FieldName> | undefined {
  return BY_NAME.get(name);
}

/**
 * A field by its encoding with access type full.
 * @example fieldEncoded(0x681e)?.name // 'Guest RIP'
 */
export function fieldEncoded(encoding: number): VmcsField<FieldName> | undefined {
  return BY_ENCODING.get(encoding);
}
